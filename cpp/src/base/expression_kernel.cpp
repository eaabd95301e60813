#include "expression_kernel.hpp"

#include <cmath>

#include "expression_graph.hpp"
#include "vector_math.hpp"

namespace regrain::expressions {

namespace {

using vectors::Double;
using vectors::load;
using vectors::store;

using Program = std::span<const Expression::Instruction>;

// Where an instruction reads and writes.
struct Operands {
    double* out;
    const double *a, *b, *c;
    std::size_t count;
};

#define REGRAIN_LAMBDA __attribute__((always_inline))

template <int W, class F>
REGRAIN_INLINE void unary(const Operands& o, F&& f) {
    for (std::size_t k = 0; k < o.count; k += W) {
        store(o.out + k, f(load<Double<W>>(o.a + k)));
    }
}

template <int W, class F>
REGRAIN_INLINE void binary(const Operands& o, F&& f) {
    for (std::size_t k = 0; k < o.count; k += W) {
        store(o.out + k, f(load<Double<W>>(o.a + k), load<Double<W>>(o.b + k)));
    }
}

// What the C library does one by one.
template <class F>
REGRAIN_INLINE void one_by_one(const Operands& o, F&& f) {
    for (std::size_t k = 0; k < o.count; ++k) o.out[k] = f(o.a[k], o.b[k]);
}

template <int W>
REGRAIN_INLINE void choose(const Operands& o) {
    const Double<W> zero{};
    for (std::size_t k = 0; k < o.count; k += W) {
        const auto condition = load<Double<W>>(o.a + k);
        const auto yes = load<Double<W>>(o.b + k), no = load<Double<W>>(o.c + k);
        store(o.out + k, condition != zero ? yes : no);
    }
}

template <int W>
REGRAIN_INLINE void compare(Operation operation, const Operands& o) {
    using V = Double<W>;
    const V zero{}, one = zero + 1.0;
    switch (operation) {
        case Operation::min:
            return binary<W>(o, [](const V& a, const V& b) REGRAIN_LAMBDA {
                const V smaller = a < b ? a : b;
                return a == a ? smaller : a;
            });
        case Operation::max:
            return binary<W>(o, [](const V& a, const V& b) REGRAIN_LAMBDA {
                const V larger = a > b ? a : b;
                return a == a ? larger : a;
            });
        case Operation::less:
            return binary<W>(
                o, [&](const V& a, const V& b) REGRAIN_LAMBDA { return a < b ? one : zero; });
        case Operation::less_equal:
            return binary<W>(
                o, [&](const V& a, const V& b) REGRAIN_LAMBDA { return a <= b ? one : zero; });
        case Operation::equal:
            return binary<W>(
                o, [&](const V& a, const V& b) REGRAIN_LAMBDA { return a == b ? one : zero; });
        default:
            return binary<W>(
                o, [&](const V& a, const V& b) REGRAIN_LAMBDA { return a != b ? one : zero; });
    }
}

template <int W>
REGRAIN_INLINE void carry_out(Operation operation, const Operands& o) {
    using V = Double<W>;
    switch (operation) {
        case Operation::negate:
            return unary<W>(o, [](const V& a) REGRAIN_LAMBDA { return -a; });
        case Operation::sqrt:
            return unary<W>(o, [](const V& a) REGRAIN_LAMBDA { return vectors::sqrt<W>(a); });
        case Operation::exp:
            return unary<W>(o, [](const V& a) REGRAIN_LAMBDA { return vectors::full_exp<W>(a); });
        case Operation::log:
            return unary<W>(o, [](const V& a) REGRAIN_LAMBDA { return vectors::full_log<W>(a); });
        case Operation::sin:
            return unary<W>(o,
                            [](const V& a) REGRAIN_LAMBDA { return vectors::full_sine<W>(a, 0); });
        case Operation::cos:
            return unary<W>(o,
                            [](const V& a) REGRAIN_LAMBDA { return vectors::full_sine<W>(a, 1); });
        case Operation::abs:
            return unary<W>(o, [](const V& a) REGRAIN_LAMBDA { return vectors::absolute<W>(a); });
        case Operation::floor:
            return unary<W>(o, [](const V& a) REGRAIN_LAMBDA { return vectors::floor<W>(a); });
        case Operation::add:
            return binary<W>(o, [](const V& a, const V& b) REGRAIN_LAMBDA { return a + b; });
        case Operation::subtract:
            return binary<W>(o, [](const V& a, const V& b) REGRAIN_LAMBDA { return a - b; });
        case Operation::multiply:
            return binary<W>(o, [](const V& a, const V& b) REGRAIN_LAMBDA { return a * b; });
        case Operation::divide:
            return binary<W>(o, [](const V& a, const V& b) REGRAIN_LAMBDA { return a / b; });
        case Operation::select:
            return choose<W>(o);
        case Operation::min:
        case Operation::max:
        case Operation::less:
        case Operation::less_equal:
        case Operation::equal:
        case Operation::not_equal:
            return compare<W>(operation, o);
        default:
            return one_by_one(
                o, [&](double a, double b) REGRAIN_LAMBDA { return apply(operation, a, b, 0.0); });
    }
}

template <int W>
REGRAIN_INLINE void run(Program program, double* registers, std::size_t count) {
    const auto place = [registers](std::uint16_t number)
                           REGRAIN_LAMBDA { return registers + number * Expression::block; };
    for (const Expression::Instruction& i : program) {
        carry_out<W>(static_cast<Operation>(i.operation),
                     {place(i.out), place(i.a), place(i.b), place(i.c), count});
    }
}

#undef REGRAIN_LAMBDA

#if REGRAIN_X86
REGRAIN_TARGET_V4 void run_v4(Program program, double* registers, std::size_t count) {
    run<8>(program, registers, count);
}
REGRAIN_TARGET_V3 void run_v3(Program program, double* registers, std::size_t count) {
    run<4>(program, registers, count);
}
#endif
void run_any(Program program, double* registers, std::size_t count) {
    run<2>(program, registers, count);
}

}  // namespace

void execute(Program program, double* registers, std::size_t count) {
    vectors::dispatch(REGRAIN_LEVELS(run), program, registers, count);
}

}  // namespace regrain::expressions
