// Mean squared distance between random points of a periodic unit cube: exactly 1/4.
#include <cstdint>
#include <iostream>
#include <regrain/base/box.hpp>
#include <regrain/base/error.hpp>
#include <regrain/base/parallel.hpp>
#include <regrain/base/random.hpp>
#include <regrain/base/version.hpp>

namespace {

double mean_squared_distance(std::size_t n) {
    const regrain::Box box(regrain::Vec3{1.0, 1.0, 1.0});
    const regrain::Philox random(7, 1);
    const auto sum = regrain::parallel_sum<double>(n, [&](std::size_t begin, std::size_t end) {
        double part = 0.0;
        for (std::size_t i = begin; i < end; ++i) {
            const auto [x, y] = random.uniform2(0, static_cast<std::uint32_t>(i), 0);
            const auto [z, unused] = random.uniform2(0, static_cast<std::uint32_t>(i), 1);
            const regrain::Vec3 d = box.minimum_image({x, y, z});
            part += d.x * d.x + d.y * d.y + d.z * d.z;
        }
        return part;
    });
    return sum / static_cast<double>(n);
}

bool errors_cross_the_library_boundary() {
    try {
        regrain::set_threads(0);
    } catch (const regrain::Error&) {
        return true;
    }
    return false;
}

}  // namespace

int main() {
    regrain::set_threads(1);
    const double alone = mean_squared_distance(1'000'000);
    regrain::set_threads(4);
    const double together = mean_squared_distance(1'000'000);
    if (alone != together || !errors_cross_the_library_boundary()) return 1;
    std::cout << regrain::version() << ' ' << alone << '\n';
}
