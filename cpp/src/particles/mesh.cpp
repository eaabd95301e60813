#include "mesh.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/structure_factor.hpp"

namespace regrain::particles {

namespace {

constexpr double tau = 2.0 * std::numbers::pi;
constexpr std::size_t planes_of_chunk = 8;

// |sum over points k of M_n(u + k) exp(2 pi i k m / K)|^2 for m = 0 .. K - 1; u is 0 right on a
// point.
std::vector<double> squares_of_sums(const Splines& splines, std::size_t points, double u) {
    std::vector<double> found(points);
    for (std::size_t m = 0; m < points; ++m) {
        std::complex<double> sum;
        for (std::size_t k = 0; k < splines.order; ++k) {
            double value = 0.0;
            for (std::size_t n = splines.order; n > 0; --n) {
                value = splines.value[n - 1][k] + (u - 0.5) * value;
            }
            const double turn = static_cast<double>(k * m % points) / static_cast<double>(points);
            sum += std::polar(value, tau * turn);
        }
        found[m] = std::norm(sum);
    }
    return found;
}

// sin(2 pi s) for s within a half: its series.
double sine(double s) {
    constexpr int terms = 14;
    constexpr auto powers = [] {
        std::array<double, terms> p{};
        p[0] = tau;
        for (int k = 1; k < terms; ++k) p[k] = -p[k - 1] * tau * tau / (2 * k * (2 * k + 1));
        return p;
    }();
    const double square = s * s;
    double sum = powers[terms - 1];
    for (int k = terms - 2; k >= 0; --k) sum = powers[k] + sum * square;
    return s * sum;
}

std::int32_t signed_index(std::size_t m, std::size_t points) {
    return static_cast<std::int32_t>(m) - (2 * m > points ? static_cast<std::int32_t>(points) : 0);
}

// Waves of which a mesh does not know the sign are left out.
bool ambiguous(std::size_t m, std::size_t points) { return 2 * m == points; }

}  // namespace

MeshSum::Tools::Tools(const MeshPlan& p)
    : plan(p),
      splines(p.order),
      shape{p.points},
      transform({p.points[0], p.points[1], p.points[2]}),
      mesh(p.points[0] * shape.plane()),
      values(transform.size()),
      spectrum(transform.spectrum_size()),
      weights(transform.spectrum_size()) {
    for (std::size_t k = 0; k < 3; ++k) {
        squares[k] = squares_of_sums(splines, p.points[k], 0.0);
        own[k].resize(p.points[k]);
        constexpr int places = 16;
        for (int place = 0; place < places; ++place) {
            const double u = static_cast<double>(place) / places;
            const auto found = squares_of_sums(splines, p.points[k], u);
            for (std::size_t m = 0; m < p.points[k]; ++m) {
                own[k][m].mean += found[m] / places;
                own[k][m].cosine += 2.0 * found[m] / places * std::cos(tau * u);
            }
        }
    }
}

void MeshSum::prepare(const Box& box, std::size_t charges) {
    if (box_ && *box_ == box && charges_ == charges) return;
    const MeshPlan found = plan(box, charges);
    if (found.order == 0) {
        throw Error(
            "no mesh is fine enough for the charges of this box; give Ewald a longer cutoff "
            "or a lower accuracy, or mesh=False");
    }
    if (!tools_ || tools_->plan.order != found.order || tools_->plan.points != found.points) {
        tools_.emplace(found);
    }
    weigh(box);
    box_ = box;
    charges_ = charges;
}

// The energy is half the sum over all waves of 4 pi / V q^2 exp(-q^2 / 4 alpha^2) |S|^2, where S,
// the sum of charges over a mesh, is divided by what splines make of the wave.
void MeshSum::weigh(const Box& box) {
    Tools& t = *tools_;
    const auto& n = t.plan.points;
    const std::size_t width = n[2] / 2 + 1;
    const double scale = 2.0 * tau / box.volume() * static_cast<double>(n[0] * n[1] * n[2]);
    const double range = 0.25 / (alpha_ * alpha_);
    const Vec3 c = wave_vector(box, {0, 0, 1});
    const auto row = [&](std::size_t h, std::size_t k) {
        const Vec3 start = wave_vector(box, {signed_index(h, n[0]), signed_index(k, n[1]), 0});
        const double squares = t.squares[0][h] * t.squares[1][k];
        const std::span<double> weights{&t.weights[(h * n[1] + k) * width], width};
        const auto square = [&](std::size_t l) {
            return norm2(start + c * static_cast<double>(l));
        };
        for (std::size_t l = 0; l < width; ++l) weights[l] = -range * square(l);
        exp_kernel(weights);
        for (std::size_t l = 0; l < width; ++l) {
            weights[l] *= scale / (square(l) * squares * t.squares[2][l]);
        }
        if (h == 0 && k == 0) weights[0] = 0.0;
        if (ambiguous(width - 1, n[2])) weights[width - 1] = 0.0;
        return weights;
    };
    // Half of the sum over all waves of weights times cosines, of each axis.
    const auto planes = [&](std::size_t begin, std::size_t end) {
        Vec3 sum;
        for (std::size_t h = begin; h < end; ++h) {
            for (std::size_t k = 0; k < n[1]; ++k) {
                if (ambiguous(h, n[0]) || ambiguous(k, n[1])) {
                    std::fill_n(&t.weights[(h * n[1] + k) * width], width, 0.0);
                    continue;
                }
                const std::span<const double> weights = row(h, k);
                double mean = 0.5 * weights[0] * t.own[2][0].mean;
                double cosine = 0.5 * weights[0] * t.own[2][0].cosine;
                for (std::size_t l = 1; l < width; ++l) {
                    mean += weights[l] * t.own[2][l].mean;
                    cosine += weights[l] * t.own[2][l].cosine;
                }
                const auto &x = t.own[0][h], &y = t.own[1][k];
                sum +=
                    {x.cosine * y.mean * mean, x.mean * y.cosine * mean, x.mean * y.mean * cosine};
            }
        }
        return sum;
    };
    const Vec3 sum =
        parallel_sum<Vec3>(n[0], planes, 4) * (1.0 / static_cast<double>(n[0] * n[1] * n[2]));
    t.own_energy = {sum.x, sum.y, sum.z};
}

// Between which points charges are, and in the order of the planes.
void MeshSum::sort(std::span<const Charge> charges, const Box& box) {
    const auto& points = tools_->plan.points;
    unsorted_.resize(charges.size());
    sorted_.resize(charges.size());
    parallel_for(charges.size(), [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            const Vec3 s = box.fractional(charges[i].r);
            MeshCharge& m = unsorted_[i];
            const std::array<double, 3> fractions{s.x, s.y, s.z};
            for (std::size_t k = 0; k < 3; ++k) {
                const auto n = static_cast<double>(points[k]);
                // Below n also where a number right below zero is rounded up.
                const double u = (fractions[k] - std::floor(fractions[k])) * n;
                const double cell = std::min(std::floor(u), n - 1.0);
                m.at[k] = u - cell - 0.5;
                m.cell[k] = static_cast<std::uint32_t>(cell);
            }
            m.q = charges[i].q;
            m.index = static_cast<std::uint32_t>(i);
        }
    });
    first_.assign(points[0] + 2, 0);
    for (const MeshCharge& m : unsorted_) ++first_[m.cell[0] + 2];
    for (std::size_t p = 2; p < first_.size(); ++p) first_[p] += first_[p - 1];
    for (const MeshCharge& m : unsorted_) sorted_[first_[m.cell[0] + 1]++] = m;
}

// A chunk of planes gets what all charges add to them, in the order of these; so no two threads
// write to one place.
void MeshSum::spread() {
    Tools& t = *tools_;
    const auto& n = t.plan.points;
    const std::size_t row = t.shape.row(), plane = t.shape.plane();
    const auto planes = [&](std::size_t begin, std::size_t end) {
        std::fill_n(&t.mesh[begin * plane], (end - begin) * plane, 0.0);
        const std::size_t before = t.plan.order - 1;
        const std::size_t reaching = std::min(end - begin + before, n[0]);
        for (std::size_t k = 0; k < reaching; ++k) {
            const std::size_t cell = (begin + n[0] - before % n[0] + k) % n[0];
            const std::span charges{sorted_.data() + first_[cell], first_[cell + 1] - first_[cell]};
            spread_kernel(t.splines, t.shape, charges, begin, end, t.mesh.data());
        }
        for (std::size_t p = begin; p < end; ++p) {
            double* start = &t.mesh[p * plane];
            for (std::size_t k = n[1] * row; k < plane; ++k) start[k - n[1] * row] += start[k];
            for (std::size_t y = 0; y < n[1]; ++y) {
                double* line = start + y * row;
                for (std::size_t k = 0; k < Splines::most; ++k) line[k] += line[n[2] + k];
                std::copy_n(line, n[2], &t.values[(p * n[1] + y) * n[2]]);
            }
        }
    };
    parallel_for(n[0], planes, planes_of_chunk);
}

// Sums of squares of charges: of all, and times the cosines of where they are along each axis.
MeshSum::Squares MeshSum::squares() const {
    return parallel_sum<Squares>(sorted_.size(), [&](std::size_t begin, std::size_t end) {
        Squares sum;
        for (std::size_t i = begin; i < end; ++i) {
            const MeshCharge& m = sorted_[i];
            const auto cosine = [&](std::size_t k) { return -std::cos(tau * m.at[k]); };
            sum += {m.q * m.q, Vec3{cosine(0), cosine(1), cosine(2)} * (m.q * m.q)};
        }
        return sum;
    });
}

// Half of the spectrum stands for the other half too.
Sums MeshSum::sums_of(const SpectrumBlock<double>& block, const Box& box,
                      const Squares& squares) const {
    const Tools& t = *tools_;
    const auto& n = t.plan.points;
    const std::size_t width = n[2] / 2 + 1;
    const double range = 0.25 / (alpha_ * alpha_);
    const double share = 0.5 / static_cast<double>(n[0] * n[1] * n[2]);
    const Vec3 c = wave_vector(box, {0, 0, 1});
    Sums sums;
    for (std::size_t h = 0; h < block.rows; ++h) {
        std::size_t k = block.first / width, l = block.first % width;
        for (std::size_t i = 0; i < block.count; ++i, ++l) {
            if (l == width) l = 0, ++k;
            const double weight = t.weights[h * block.stride + block.first + i];
            if (weight == 0.0) continue;
            const auto &x = t.own[0][h], &y = t.own[1][k], &z = t.own[2][l];
            const double right = t.squares[0][h] * t.squares[1][k] * t.squares[2][l];
            const double own = (x.mean * y.mean * z.mean - right) * squares.all +
                               x.cosine * y.mean * z.mean * squares.cosines.x +
                               x.mean * y.cosine * z.mean * squares.cosines.y +
                               x.mean * y.mean * z.cosine * squares.cosines.z;
            const double square = std::norm(block.data[h * block.stride + i]) - own;
            const double energy = (l == 0 ? 1.0 : 2.0) * share * weight * square;
            const Vec3 q = wave_vector(box, {signed_index(h, n[0]), signed_index(k, n[1]), 0}) +
                           c * static_cast<double>(l);
            const double f = 2.0 * energy * (1.0 / norm2(q) + range);
            sums += {0.0,
                     {energy - f * q.x * q.x, energy - f * q.y * q.y, energy - f * q.z * q.z,
                      -f * q.x * q.y, -f * q.x * q.z, -f * q.y * q.z},
                     energy};
        }
    }
    return sums;
}

Sums MeshSum::solve(const Box& box, bool with_sums) {
    Tools& t = *tools_;
    std::vector<Sums> parts(t.transform.blocks());
    const Squares own = with_sums ? squares() : Squares{};
    t.transform.through(t.values, t.spectrum, [&](const SpectrumBlock<double>& block) {
        if (with_sums) parts[block.number] = sums_of(block, box, own);
        for (std::size_t h = 0; h < block.rows; ++h) {
            const double* weights = &t.weights[h * block.stride + block.first];
            std::complex<double>* numbers = block.data + h * block.stride;
            for (std::size_t i = 0; i < block.count; ++i) numbers[i] *= weights[i];
        }
    });
    Sums sums;
    for (const Sums& part : parts) sums += part;
    return sums;
}

// The potential with the copies of points that splines reach.
void MeshSum::unfold() {
    Tools& t = *tools_;
    const auto& n = t.plan.points;
    const std::size_t row = t.shape.row();
    const auto planes = [&](std::size_t begin, std::size_t end) {
        for (std::size_t p = begin; p < end; ++p) {
            for (std::size_t y = 0; y < t.shape.rows(); ++y) {
                const double* from = &t.values[(p * n[1] + y % n[1]) * n[2]];
                double* to = &t.mesh[p * t.shape.plane() + y * row];
                std::copy_n(from, n[2], to);
                std::copy_n(from, Splines::most, to + n[2]);
            }
        }
    };
    parallel_for(n[0], planes, planes_of_chunk);
}

void MeshSum::gather(const Box& box, std::span<Vec3> forces) const {
    const Tools& t = *tools_;
    std::array<Vec3, 3> along{wave_vector(box, {1, 0, 0}), wave_vector(box, {0, 1, 0}),
                              wave_vector(box, {0, 0, 1})};
    for (std::size_t k = 0; k < 3; ++k) {
        along[k] *= -static_cast<double>(t.plan.points[k]) / tau;
    }
    const auto some = [&](std::size_t begin, std::size_t end) {
        const std::span<const MeshCharge> charges{sorted_.data() + begin, end - begin};
        slope_kernel(t.splines, t.shape, charges, t.mesh.data(), forces.data());
        for (const MeshCharge& m : charges) {
            const auto own = [&](std::size_t k) {
                return tau * m.q * t.own_energy[k] * sine(m.at[k]);
            };
            Vec3& f = forces[m.index];
            f = (along[0] * (f.x - own(0)) + along[1] * (f.y - own(1)) +
                 along[2] * (f.z - own(2))) *
                m.q;
        }
    };
    parallel_for(sorted_.size(), some, 1024);
}

Sums MeshSum::compute(std::span<const Charge> charges, const Box& box, std::span<Vec3> forces,
                      bool with_sums) {
    if (charges.empty()) return {};
    prepare(box, charges.size());
    sort(charges, box);
    spread();
    const Sums sums = solve(box, with_sums);
    unfold();
    gather(box, forces);
    return sums;
}

}  // namespace regrain::particles
