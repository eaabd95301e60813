# Sanitizers for everything built here, chosen by REGRAIN_SANITIZE (see CMakePresets.json).
if(REGRAIN_SANITIZE)
  add_compile_options(-fsanitize=${REGRAIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REGRAIN_SANITIZE})
endif()
# With checks of addresses these two take many minutes each to compile. They read and write where
# fft.cpp, which is checked, says.
if(REGRAIN_SANITIZE MATCHES address)
  set_source_files_properties(cpp/src/base/fft_double.cpp cpp/src/base/fft_single.cpp
                              PROPERTIES COMPILE_OPTIONS -fno-sanitize=all)
endif()
