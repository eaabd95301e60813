#include <iostream>
#include <regrain/base/error.hpp>
#include <regrain/base/version.hpp>

int main() {
    try {
        throw regrain::Error("an error of the core crosses the library boundary");
    } catch (const regrain::Error&) {
        std::cout << regrain::version() << '\n';
    }
}
