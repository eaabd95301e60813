#include "graph.hpp"

namespace regrain::lattice {

Graph::Graph(const Model& model, const std::vector<std::vector<int>>& offsets)
    : length_(static_cast<std::size_t>(model.shape.back())), periodic_(model.periodic.back()) {
    const std::size_t slow = model.shape.size() - 1;
    for (std::size_t a = 0; a < slow; ++a) rows_ *= static_cast<std::size_t>(model.shape[a]);
    for (const auto& offset : offsets) {
        along_.push_back(offset.back());
        for (std::size_t row = 0; row < rows_; ++row) {
            std::size_t rest = row, to = 0, stride = 1;
            bool there = true;
            for (std::size_t a = slow; a-- > 0;) {
                const int n = model.shape[a];
                int x = static_cast<int>(rest % static_cast<std::size_t>(n)) + offset[a];
                rest /= static_cast<std::size_t>(n);
                there = there && (model.periodic[a] || (x >= 0 && x < n));
                x = ((x % n) + n) % n;
                to += static_cast<std::size_t>(x) * stride;
                stride *= static_cast<std::size_t>(n);
            }
            row_of_.push_back(there ? static_cast<std::uint32_t>(to) : none);
        }
    }
}

}  // namespace regrain::lattice
