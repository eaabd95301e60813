# The warnings of our own code; never part of what a downstream project links.
add_library(regrain_warnings INTERFACE)
target_compile_options(regrain_warnings INTERFACE -Wall -Wextra -Wconversion
  # About passing vectors between functions, which ours do only where they are inlined.
  -Wno-psabi
  $<$<BOOL:${REGRAIN_WERROR}>:-Werror>)
