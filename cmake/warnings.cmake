# The warnings of our own code; never part of what a downstream project links.
add_library(regrain_warnings INTERFACE)
target_compile_options(regrain_warnings INTERFACE -Wall -Wextra -Wconversion
  $<$<BOOL:${REGRAIN_WERROR}>:-Werror>)
