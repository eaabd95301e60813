// Whether a bath cannot cool what a time step heats.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace regrain::particles {

/// Looks at the kinetic temperature over windows of five relaxation times of the bath. A start that
/// releases energy, however much, leaves the bath with exp(-5) or so of it per window, and one that
/// releases it slowly must give off ten kT per degree of freedom to keep the particles half as hot
/// again for four windows. So it is the time step, if in four windows one after the other the
/// temperature is above 1.5 times that of the bath (and ten standard deviations of a mean of 16
/// looks) and has hardly come down.
class HeatWatch {
public:
    static constexpr int looks = 16, windows = 4;

    HeatWatch(double rate, double dt, double degrees)
        : stride_(static_cast<std::uint64_t>(std::clamp(5.0 / (rate * dt * looks), 1.0, 1e15))),
          allowed_(std::max(0.5, 10.0 * std::sqrt(2.0 / degrees))) {}

    [[nodiscard]] bool due(std::uint64_t step) const { return step % stride_ == 0; }

    /// Takes a look, given kinetic temperature over that of the bath; whether it is too hot.
    bool too_hot(double ratio) {
        sum_ += ratio;
        if (++count_ < looks) return false;
        const double excess = sum_ / looks - 1.0;
        hot_ = excess > allowed_ && (hot_ == 0.0 || excess > 0.8 * last_) ? hot_ + 1.0 : 0.0;
        last_ = excess;
        sum_ = count_ = 0.0;
        return hot_ >= windows;
    }

    [[nodiscard]] double excess() const { return last_; }
    [[nodiscard]] std::vector<double> state() const { return {sum_, count_, last_, hot_}; }
    void set_state(std::span<const double> v) {
        sum_ = v[0], count_ = v[1], last_ = v[2], hot_ = v[3];
    }

private:
    std::uint64_t stride_;
    double allowed_;
    double sum_{0.0}, count_{0.0}, last_{0.0}, hot_{0.0};
};

}  // namespace regrain::particles
