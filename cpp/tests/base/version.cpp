#include "regrain/base/version.hpp"

#include <string>

#include "check.hpp"

TEST("the version has three parts") {
    const std::string version = regrain::version();
    std::size_t dots = 0;
    for (const char c : version) dots += c == '.' ? 1 : 0;
    CHECK(dots == 2);
}
