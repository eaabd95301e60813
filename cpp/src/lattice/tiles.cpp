#include "tiles.hpp"

#include <algorithm>

namespace regrain::lattice {

namespace {

// So many remainders that sites with the same one do not feel each other.
int remainders(int length, int range, bool periodic) {
    int count = range + 1;
    while (periodic && length % count != 0) ++count;
    return count;
}

int wrapped(int x, int length) { return ((x % length) + length) % length; }

}  // namespace

Tiles::Tiles(const Model& model, const Environment& environment) {
    const std::size_t slow_axes = model.shape.size() - 1;
    length_ = static_cast<std::size_t>(model.shape.back());
    periodic_ = model.periodic.back();
    const int count = remainders(model.shape.back(), environment.range.back(), periodic_);
    blocks_ = static_cast<std::size_t>(count);
    const std::size_t longest = (length_ + blocks_ - 1) / blocks_;
    block_stride_ = (longest + 2 + group - 1) / group * group;
    row_stride_ = blocks_ * block_stride_;
    for (std::size_t a = 0; a < slow_axes; ++a) rows_ *= static_cast<std::size_t>(model.shape[a]);

    const auto coordinates = [&](std::size_t row) {
        std::vector<int> at(slow_axes);
        for (std::size_t a = slow_axes; a-- > 0;) {
            const auto n = static_cast<std::size_t>(model.shape[a]);
            at[a] = static_cast<int>(row % n);
            row /= n;
        }
        return at;
    };

    std::vector<std::vector<int>> slow;  // distinct row offsets
    for (const auto& offset : environment.offsets) {
        const std::vector<int> head(offset.begin(), offset.end() - 1);
        auto found = std::find(slow.begin(), slow.end(), head);
        if (found == slow.end()) found = slow.insert(found, head);
        slow_.push_back(static_cast<std::size_t>(found - slow.begin()));
        for (int block = 0; block < count; ++block) {
            const int to = block + offset.back() + count;  // moved by one round: not negative
            place_.push_back(static_cast<std::size_t>(to % count) * block_stride_ +
                             static_cast<std::size_t>(to / count));
        }
    }
    for (const auto& offset : slow) {
        for (std::size_t row = 0; row < rows_; ++row) {
            const auto at = coordinates(row);
            std::size_t other = 0;
            for (std::size_t a = 0; a < slow_axes; ++a) {
                const int n = model.shape[a];
                const int to = at[a] + offset[a];
                if (!model.periodic[a] && (to < 0 || to >= n)) {
                    other = rows_;  // absent
                    break;
                }
                other =
                    other * static_cast<std::size_t>(n) + static_cast<std::size_t>(wrapped(to, n));
            }
            row_of_.push_back(static_cast<std::uint32_t>(other));
        }
    }

    std::size_t colours = 1;
    std::vector<std::size_t> periods;
    for (std::size_t a = 0; a < slow_axes; ++a) {
        periods.push_back(static_cast<std::size_t>(
            remainders(model.shape[a], environment.range[a], model.periodic[a])));
        colours *= periods.back();
    }
    colours_.resize(colours);
    for (std::size_t row = 0; row < rows_; ++row) {
        const auto at = coordinates(row);
        std::size_t colour = 0;
        for (std::size_t a = 0; a < slow_axes; ++a) {
            colour = colour * periods[a] + static_cast<std::size_t>(at[a]) % periods[a];
        }
        colours_[colour].push_back(static_cast<std::uint32_t>(row));
    }
}

}  // namespace regrain::lattice
