// Reads past the end of a block, which guarded_new.cpp is to stop.
#include <cstddef>
#include <cstdio>
#include <vector>

int main() {
    const volatile std::size_t size = 1000;  // which no compiler sees through
    const std::vector<double> numbers(size, 1.0);
    const volatile double* first = numbers.data();
    double sum = 0.0;
    for (std::size_t k = 0; k < size; ++k) sum += first[k];
    std::printf("within: %g\n", sum);
    std::fflush(stdout);
    std::printf("nobody stopped a read past the end, of %g\n", first[size]);
}
