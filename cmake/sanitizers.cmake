# Sanitizers for everything built here, chosen by REGRAIN_SANITIZE (see CMakePresets.json). What they
# say at -O1 is what they say at -O2, in half the time that it takes to compile; but then GCC does not
# unroll loops over the lanes of a vector, and takes it for uninitialised.
if(REGRAIN_SANITIZE)
  add_compile_options(-Wno-maybe-uninitialized)
  add_compile_options(-fsanitize=${REGRAIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REGRAIN_SANITIZE})
endif()
# Kernels are compiled for one instruction set (vectors.hpp); that vectors of the others end where memory
# does is tested without sanitizers (cpp/tests/guarded_new.cpp). Checks of addresses and of undefined
# behaviour together make GCC compile a kernel for minutes, of addresses alone for seconds; and even
# these for many minutes the Fourier transforms, which read and write where fft.cpp, which is checked,
# says.
if(REGRAIN_SANITIZE MATCHES address)
  file(GLOB kernels CONFIGURE_DEPENDS cpp/src/*/*_kernel*.cpp)
  set_source_files_properties(${kernels} PROPERTIES COMPILE_OPTIONS -fno-sanitize=undefined)
  set_source_files_properties(cpp/src/base/fft_double.cpp cpp/src/base/fft_single.cpp
                              PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
endif()
