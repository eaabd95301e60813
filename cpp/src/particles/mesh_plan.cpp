#include "mesh_plan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "regrain/base/fft.hpp"

namespace regrain::particles {

namespace {

constexpr std::size_t lowest = 4, highest = 8;
constexpr double most_points = 1e9;

// Along one axis a spline makes of a wave exp(i q x) the sum over b of c_b exp(i (q + 2 pi b / h)
// x), c_b = r_b / sum of r, r_b = (t / (t + pi b))^order with t = q h / 2.
struct Aliases {
    double q, weight;
    bool outside;                          // of what the mesh resolves
    double sum{0}, squares{0}, moment{0};  // of c_b, c_b^2, (q + 2 pi b / h)^2 c_b^2; b not 0

    Aliases(double wave, double width, std::size_t order, double h)
        : q(wave), weight(width), outside(wave > std::numbers::pi / h) {
        constexpr int most = 4;
        const double t = 0.5 * q * h;
        double total = 1.0;
        const auto ratio = [&](int b) {
            return std::pow(t / (t + std::numbers::pi * b), static_cast<int>(order));
        };
        for (int b = -most; b <= most; ++b) total += b == 0 ? 0.0 : ratio(b);
        for (int b = -most; b <= most; ++b) {
            if (b == 0) continue;
            const double c = ratio(b) / total, alias = q + 2.0 * std::numbers::pi * b / h;
            sum += c;
            squares += c * c;
            moment += alias * alias * c * c;
        }
    }
};

// Of a wave q with the weight G(q) in the energy, a force on one charge by another has the mean
// square error G^2 T. Its parts are aliases on the side of the other, those on its own side, and
// what both take from the wave itself (as Ballenegger, Cerda and Holm, J. Chem. Theory Comput. 8,
// 936 (2012), for random places). The integral of T exp(-q^2 / 2) / q^4 over all q, for alpha = 1.
double integral(std::size_t order, double h) {
    const double edge = std::numbers::pi / h;
    std::vector<Aliases> axis;
    const auto add = [&](double from, double to, int points) {
        const double width = (to - from) / points;
        for (int k = 0; k < points; ++k) {
            axis.emplace_back(from + (k + 0.5) * width, width, order, h);
        }
    };
    add(0.0, edge, 12);
    add(edge, edge + std::min(6.0, 8.0 / edge), 10);
    double total = 0.0;
    const std::size_t n = axis.size();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            for (std::size_t k = 0; k <= j; ++k) {
                const Aliases &x = axis[i], &y = axis[j], &z = axis[k];
                const double q2 = x.q * x.q + y.q * y.q + z.q * z.q;
                double error = q2;
                if (!x.outside) {  // the largest of the three
                    const double squares = x.squares + y.squares + z.squares;
                    const double own = x.moment - x.q * x.q * x.squares + y.moment -
                                       y.q * y.q * y.squares + z.moment - z.q * z.q * z.squares;
                    const double sum = x.sum + y.sum + z.sum;
                    error = q2 * (2.0 * squares + 4.0 * sum * sum) + own;
                }
                const double same = i == j && j == k ? 1.0 : (i == j || j == k ? 3.0 : 6.0);
                total +=
                    same * x.weight * y.weight * z.weight * error * std::exp(-0.5 * q2) / (q2 * q2);
            }
        }
    }
    return 8.0 * total;
}

// Logarithms of the integral at spacings that grow by a constant factor. The rms error of forces,
// over that of two charges at the mean distance d, is the root of 2 d / pi times the integral.
struct Curve {
    static constexpr double first = 0.04, factor = 1.15;
    static constexpr std::size_t points = 32;  // up to 3
    std::array<double, points> log_integral;

    explicit Curve(std::size_t order) {
        double h = first;
        for (double& value : log_integral) {
            value = std::log(integral(order, h));
            h *= factor;
        }
    }

    // The largest spacing with no more than this; 0 if even the smallest has more.
    [[nodiscard]] double inverse(double limit) const {
        std::size_t k = 0;
        while (k < points && log_integral[k] <= limit) ++k;
        if (k == 0) return 0.0;
        double x = static_cast<double>(k - 1);
        if (k < points) {
            x += (limit - log_integral[k - 1]) / (log_integral[k] - log_integral[k - 1]);
        }
        return first * std::pow(factor, x);
    }
};

const Curve& curve(std::size_t order) {
    static const std::array<Curve, highest - lowest + 1> curves{Curve(4), Curve(5), Curve(6),
                                                                Curve(7), Curve(8)};
    return curves[order - lowest];
}

double distance(const Box& box, std::size_t charges) {
    return std::cbrt(box.volume() / static_cast<double>(charges));
}

// Lengths along the last axis are even, which is faster.
std::size_t points_for(double length, double spacing, bool even) {
    const auto least = static_cast<std::size_t>(std::ceil(length / spacing));
    std::size_t n = good_length(std::max<std::size_t>(least, 8));
    while (even && n % 2 != 0) n = good_length(n + 1);
    return n;
}

// Measured on one core with AVX-512.
double expected_cost(std::size_t order, std::size_t charges, double points) {
    const auto square = static_cast<double>(order * order);
    return 5e-6 + static_cast<double>(charges) * (35e-9 + 2.1e-9 * square) +
           points * 0.4e-9 * std::log2(points);
}

}  // namespace

MeshPlan plan_mesh(const Box& box, std::size_t charges, double alpha, double accuracy) {
    const Vec3 heights = box.heights();
    const std::array<double, 3> edges{norm(box.a()), norm(box.b()), norm(box.c())};
    // Aliases of a skewed mesh are longer vectors than those of a straight one with the same edges.
    const double skew =
        std::max({edges[0] / heights.x, edges[1] / heights.y, edges[2] / heights.z});
    const double part = 0.5 * accuracy / skew;
    const double limit =
        std::log(0.5 * std::numbers::pi * part * part / (alpha * distance(box, charges)));
    MeshPlan best{0, {}, std::numeric_limits<double>::infinity()};
    for (std::size_t order = lowest; order <= highest; ++order) {
        const double spacing = curve(order).inverse(limit) / alpha;
        if (spacing == 0.0) continue;
        if (edges[0] * edges[1] * edges[2] > most_points * std::pow(spacing, 3)) continue;
        MeshPlan plan{order, {}, 0.0};
        double points = 1.0;
        for (std::size_t k = 0; k < 3; ++k) {
            plan.points[k] = points_for(edges[k], spacing, k == 2);
            points *= static_cast<double>(plan.points[k]);
        }
        plan.cost = expected_cost(order, charges, points);
        if (plan.cost < best.cost) best = plan;
    }
    return best;
}

}  // namespace regrain::particles
