# The warnings of our own code; never part of what a downstream project links.
add_library(regrain_warnings INTERFACE)
target_compile_options(regrain_warnings INTERFACE -Wall -Wextra -Wconversion
  # About passing vectors between functions, which ours do only where they are inlined.
  -Wno-psabi
  $<$<BOOL:${REGRAIN_WERROR}>:-Werror>)
# GCC 12 and 13 see overlapping copies in every "text" + std::string (bug 105651 of GCC).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  target_compile_options(regrain_warnings INTERFACE -Wno-restrict)
endif()
