# Warnings and sanitizers of our own code; never part of what a downstream project links.
add_library(regrain_warnings INTERFACE)
target_compile_options(regrain_warnings INTERFACE -Wall -Wextra -Wconversion
  $<$<BOOL:${REGRAIN_WERROR}>:-Werror>)

if(REGRAIN_SANITIZE)
  add_compile_options(-fsanitize=${REGRAIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${REGRAIN_SANITIZE})
endif()
