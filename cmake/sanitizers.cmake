# Sanitizers for everything built here, chosen by REGRAIN_SANITIZE (see CMakePresets.json).
#
# The thread sanitizer needs clang and LLVM's OpenMP runtime (Debian: clang, libomp-dev). It sees
# only the locks of code that it instrumented, and the fork and join of an OpenMP region happen
# inside the runtime: with GCC's libgomp every read after a region is reported as a race. LLVM's
# runtime ships libarcher, which is loaded by itself under the thread sanitizer and tells it about
# every fork, join and barrier. So the code that is tested is the code that ships, in parallel
# regions and all, and a report is a race.
if(REGRAIN_SANITIZE)
  add_compile_options(-fsanitize=${REGRAIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REGRAIN_SANITIZE})
  if(REGRAIN_SANITIZE MATCHES "thread" AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "The thread sanitizer gives false reports with libgomp: configure with "
                        "CMAKE_CXX_COMPILER=clang++, or use the preset tsan.")
  endif()
endif()
