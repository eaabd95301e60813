#include "reciprocal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "regrain/base/error.hpp"
#include "regrain/base/parallel.hpp"
#include "regrain/particles/structure_factor.hpp"

namespace regrain::particles {

namespace {

constexpr double tau = 2.0 * std::numbers::pi;

// The heights of the reciprocal cell bound the indices.
std::int32_t most(double q_max, const Vec3& edge) {
    return static_cast<std::int32_t>(std::floor(q_max * norm(edge) / tau));
}

// One of each pair q, -q.
double waves_within(double q_max, const Box& box) {
    return std::pow(q_max, 3) * box.volume() / (12.0 * std::pow(std::numbers::pi, 2));
}

}  // namespace

// The rms error of a force by the waves left out is, over that of two charges at the mean distance
// of charges d = (V / N)^(1/3), alpha sqrt(8 d / q) exp(-q^2 / 4 alpha^2) (Kolafa and Perram, Mol.
// Simul. 9, 351 (1992), for a box of any shape). Half of the accuracy goes to it.
double ReciprocalSum::needed(const Box& box, std::size_t charges) const {
    const double d = std::cbrt(box.volume() / static_cast<double>(charges));
    const auto error = [&](double x) {  // q = 2 alpha x
        return std::sqrt(4.0 * alpha_ * d / x) * std::exp(-x * x);
    };
    double low = 1.0;
    double high = 10.0;
    for (int halving = 0; halving < 40; ++halving) {
        const double middle = 0.5 * (low + high);
        (error(middle) > 0.5 * accuracy_ ? low : high) = middle;
    }
    return 2.0 * alpha_ * high;
}

double ReciprocalSum::expected_cost(const Box& box, std::size_t charges) const {
    constexpr double charge = 100e-9, wave = 0.19e-9;  // measured with AVX-512
    const double waves = waves_within(needed(box, charges), box);
    return static_cast<double>(charges) * (charge + wave * waves);
}

void ReciprocalSum::add_line(const Box& box, std::int32_t k, std::int32_t l) {
    const bool lonely = lines_.empty() || lines_.back().l[1] >= 0;
    if (lonely) lines_.push_back({{k, 0}, {l, -1}, 0, weights_.size()});
    Lines& lines = lines_.back();
    const std::size_t twin = lonely ? 0 : 1;
    lines.k[twin] = k;
    lines.l[twin] = l;
    const double scale = 4.0 * std::numbers::pi / box.volume();
    const auto weight = [&](std::int32_t h) {
        if (l == 0 && k == 0 && h <= 0) return 0.0;
        const double q2 = norm2(wave_vector(box, {h, k, l}));
        if (q2 > q_max_ * q_max_) return 0.0;
        ++wave_vectors_;
        return scale / q2 * std::exp(-q2 / (4.0 * alpha_ * alpha_));
    };
    for (std::int32_t h = 0; h <= last_[0]; ++h) {
        const double plus = weight(h);
        const double minus = h == 0 ? 0.0 : weight(-h);
        const std::size_t at = lines.first + static_cast<std::size_t>(h);
        if (at >= weights_.size()) {
            if (plus == 0.0 && minus == 0.0 && h > lines.last) continue;
            weights_.resize(at + 1);
        }
        weights_[at][2 * twin] = plus;
        weights_[at][2 * twin + 1] = minus;
        lines.last = std::max(lines.last, h);
    }
}

void ReciprocalSum::prepare(const Box& box, std::size_t charges) {
    if (box_ && *box_ == box && charges_ == charges) return;
    q_max_ = needed(box, charges);
    const double expected = waves_within(q_max_, box);
    if (expected > 5e6) {
        throw Error("the Ewald sum of this box needs about " + std::to_string(expected) +
                    " wave vectors; give it a mesh, a longer cutoff or a lower accuracy");
    }
    last_ = {most(q_max_, box.a()), most(q_max_, box.b()), most(q_max_, box.c())};
    lines_.clear();
    weights_.clear();
    wave_vectors_ = 0;
    for (std::int32_t l = 0; l <= last_[2]; ++l) {
        for (std::int32_t k = l == 0 ? 0 : -last_[1]; k <= last_[1]; ++k) add_line(box, k, l);
    }
    if (!lines_.empty() && lines_.back().l[1] < 0) lines_.back().l[1] = 0;  // weights nothing
    overlaps_.resize(weights_.size());
    couplings_.resize(2 * weights_.size());
    box_ = box;
    charges_ = charges;
}

// The energy is the sum over waves of weight |S|^2 (half of them, doubled), the force on a charge
// that of 2 weight q_vector Im(S* q exp(i q r)).
Sums ReciprocalSum::couple(const Box& box, std::size_t begin, std::size_t end) {
    Sums sums;
    const double range = 0.25 / (alpha_ * alpha_);
    for (std::size_t n = begin; n < end; ++n) {
        const Lines& lines = lines_[n];
        for (std::int32_t h = 0; h <= lines.last; ++h) {
            const Overlap& o = overlaps_[lines.first + static_cast<std::size_t>(h)];
            for (std::size_t line = 0; line < 2; ++line) {
                const Modes s = modes_of(o, line);
                const auto& w = weights_[lines.first + static_cast<std::size_t>(h)];
                const double plus = w[2 * line], minus = w[2 * line + 1];
                const auto add = [&](std::int32_t index, double energy) {
                    if (energy == 0.0) return;
                    const Vec3 q = wave_vector(box, {index, lines.k[line], lines.l[line]});
                    const double f = 2.0 * energy * (1.0 / norm2(q) + range);
                    sums +=
                        {0.0,
                         {energy - f * q.x * q.x, energy - f * q.y * q.y, energy - f * q.z * q.z,
                          -f * q.x * q.y, -f * q.x * q.z, -f * q.y * q.z},
                         energy};
                };
                add(h, plus * std::norm(s.plus));
                add(-h, minus * std::norm(s.minus));
                const auto up = 2.0 * plus * std::conj(s.plus);
                const auto down = 2.0 * minus * std::conj(s.minus);
                const auto even = up + down, odd = up - down;
                const double p = even.real(), m = odd.real(), r = even.imag(), t = odd.imag();
                couplings_[2 * lines.first + line * static_cast<std::size_t>(lines.last + 1) +
                           static_cast<std::size_t>(h)] = {p,     -t,     r,     m,
                                                           h * m, -h * r, h * t, h * p};
            }
        }
    }
    return sums;
}

Sums ReciprocalSum::compute(std::span<const Charge> charges, const Box& box,
                            std::span<Vec3> forces) {
    if (charges.empty()) return {};
    prepare(box, charges.size());
    const std::size_t batches = (charges.size() + Phases::most - 1) / Phases::most;
    const auto batch = [&](std::size_t b) {
        const std::size_t begin = b * Phases::most;
        return charges.subspan(begin, std::min(Phases::most, charges.size() - begin));
    };
    batches_.resize(batches);
    const auto phases = [&](std::size_t begin, std::size_t end) {
        for (std::size_t b = begin; b < end; ++b) batches_[b].emplace(batch(b), box, last_);
    };
    parallel_for(batches, phases, 1);
    const auto overlaps = [&](std::size_t begin, std::size_t end) {
        for (std::size_t n = begin; n < end; ++n) {
            Overlap* out = &overlaps_[lines_[n].first];
            std::fill_n(out, lines_[n].last + 1, Overlap{});
        }
        for (const std::optional<Phases>& f : batches_) {
            for (std::size_t n = begin; n < end; ++n) {
                overlap_kernel(*f, lines_[n], &overlaps_[lines_[n].first]);
            }
        }
    };
    parallel_for(lines_.size(), overlaps, 4);
    const auto sums = parallel_sum<Sums>(
        lines_.size(), [&](std::size_t begin, std::size_t end) { return couple(box, begin, end); },
        16);
    const Vec3 a = wave_vector(box, {1, 0, 0});
    const Vec3 b = wave_vector(box, {0, 1, 0});
    const Vec3 c = wave_vector(box, {0, 0, 1});
    const auto fields = [&](std::size_t begin, std::size_t end) {
        double field[3][Phases::block];
        field_kernel(*batches_[begin / Phases::most], lines_, couplings_.data(),
                     begin % Phases::most, field);
        for (std::size_t p = begin; p < end; ++p) {
            const std::size_t k = p - begin;
            forces[p] = a * field[0][k] + b * field[1][k] + c * field[2][k];
        }
    };
    parallel_for(charges.size(), fields, Phases::block);
    return sums;
}

}  // namespace regrain::particles
