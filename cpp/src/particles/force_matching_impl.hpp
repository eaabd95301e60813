// What a ForceDesign knows, and what it needs for one frame.
#pragma once

#include <mutex>

#include "moment_kernel.hpp"

namespace regrain::particles {

struct ForceDesign::Parts {
    struct Interaction {
        Pieces pieces;
        std::size_t first_column, first_interval;
        std::size_t first_moment;  ///< within the moments of one particle; triples have their own
        double reach;              ///< of pairs
        bool triple{false};
        std::int32_t first_end{0};  ///< type of the end of the first arm of triples
        std::array<double, 2> r_max{}, decay{};
    };
    /// A bond, an angle or a dihedral.
    struct Term {
        std::array<std::uint32_t, 4> particle;
        std::uint32_t interaction, width;
    };
    /// Place of a term in its spline, and the gradient of its coordinate at its particles.
    struct Placed {
        Pieces::Place place;
        std::array<Vec3, 4> gradient;
    };

    std::vector<std::int32_t> types;
    std::size_t n_types;
    std::vector<std::uint32_t> first_excluded, excluded;  ///< by particle
    std::vector<Interaction> interactions;
    std::size_t columns{0}, intervals{0}, moments{0}, arm_moments{0};
    std::vector<int> pair_of_types;    ///< n_types^2: interaction or -1
    std::vector<int> triple_of_types;  ///< n_types^3, the centre in the middle
    double pair_reach{0.0}, triple_reach{0.0};
    std::vector<Term> terms;
    std::vector<std::vector<std::uint32_t>> terms_of;  ///< 4 term + slot, by particle

    Parts(std::span<const std::int32_t> types, std::size_t n_types,
          std::span<const Pair> exclusions);

    std::uint32_t add(const UniformSpline& spline, double reach);
    void check_type(std::int32_t type) const;
    template <std::size_t N>
    void add_terms(const UniformSpline& spline, std::span<const std::array<std::int32_t, N>> given);

    [[nodiscard]] bool is_excluded(std::uint32_t i, std::uint32_t j) const {
        for (std::uint32_t k = first_excluded[i]; k < first_excluded[i + 1]; ++k) {
            if (excluded[k] == j) return true;
        }
        return false;
    }
    [[nodiscard]] bool excludes(std::uint32_t i) const {
        return first_excluded[i] != first_excluded[i + 1];
    }

    struct Near {
        std::vector<std::uint32_t> point;
        std::vector<double> r2;
    };
    struct Workspace {
        explicit Workspace(const Parts& parts);
        Cells cells;
        std::vector<double> block, moments, inverse, t;
        std::vector<std::int32_t> piece;
        std::vector<Near> near;              ///< by interaction
        std::vector<bool> touched;           ///< by interaction
        std::vector<Placed> placed;          ///< by term
        std::vector<double> arms;            ///< moments of triples, of all particles
        std::vector<std::uint64_t> twice;    ///< pairs met, each from both sides
        std::vector<std::uint32_t> written;  ///< particles of the block
        std::size_t in_block{0};
    };
    /// Workspaces that no frame is using.
    mutable std::mutex idle_mutex;
    mutable std::vector<std::unique_ptr<Workspace>> idle;
    std::unique_ptr<Workspace> take() const;
    void give_back(std::unique_ptr<Workspace> work) const;

    void place_terms(const Frame& frame, Workspace& work, std::span<std::uint64_t> counts) const;
    void add_triples(Workspace& work, std::span<std::uint64_t> counts) const;
    void add_pairs(std::uint32_t point, const Cells::Neighbors& near, Workspace& work) const;
    double* moments_of(std::size_t interaction, Workspace& work) const;
    void write_particle(std::uint32_t id, const Vec3& force, Workspace& work) const;

    /// Calls flush(particles in the block) whenever the block of the workspace is full, and last.
    template <class Flush>
    void all_rows(const Frame& frame, Workspace& work, std::span<std::uint64_t> counts,
                  Flush&& flush) const;
};

}  // namespace regrain::particles
