# Sanitizers for everything built here, chosen by REGRAIN_SANITIZE (see CMakePresets.json).
if(REGRAIN_SANITIZE)
  add_compile_options(-fsanitize=${REGRAIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REGRAIN_SANITIZE})
endif()
# Checks of addresses and of undefined behaviour together make GCC compile a kernel for five minutes,
# of addresses alone for half of one; and even these for many minutes the Fourier transforms, which read
# and write where fft.cpp, which is checked, says.
if(REGRAIN_SANITIZE MATCHES address)
  file(GLOB kernels CONFIGURE_DEPENDS cpp/src/*/*_kernel*.cpp)
  set_source_files_properties(${kernels} PROPERTIES COMPILE_OPTIONS -fno-sanitize=undefined)
  set_source_files_properties(cpp/src/base/fft_double.cpp cpp/src/base/fft_single.cpp
                              PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
endif()
