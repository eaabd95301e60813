# Sanitizers for everything built here, chosen by REGRAIN_SANITIZE (see CMakePresets.json).
#
# The thread sanitizer needs clang and LLVM's OpenMP runtime (Debian: clang, libomp-dev). It sees
# only the locks of code that it instrumented, and the fork and join of an OpenMP region happen
# inside the runtime: with GCC's libgomp every read after a region is reported as a race. LLVM's
# libarcher tells the sanitizer about every fork, join and barrier. So the code that is tested is
# the code that ships, parallel regions and all, and a report is a race. The runtime looks for
# libarcher by its bare name and goes on in silence without it; so it is linked.
if(REGRAIN_SANITIZE)
  add_compile_options(-fsanitize=${REGRAIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REGRAIN_SANITIZE})
endif()

if(REGRAIN_SANITIZE MATCHES "thread")
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "The thread sanitizer gives false reports with libgomp: configure with "
                        "CMAKE_CXX_COMPILER=clang++, or use the preset tsan.")
  endif()
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-resource-dir
                  OUTPUT_VARIABLE clang_resources OUTPUT_STRIP_TRAILING_WHITESPACE)
  find_library(REGRAIN_ARCHER archer HINTS ${clang_resources}/../.. REQUIRED
               DOC "LLVM's bridge between OpenMP and the thread sanitizer: libomp-dev")
  link_libraries(${REGRAIN_ARCHER})
endif()
