// Ewald's reciprocal sum on a mesh: smooth particle-mesh Ewald.
#pragma once

#include <complex>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "mesh_kernel.hpp"
#include "mesh_plan.hpp"
#include "regrain/base/box.hpp"
#include "regrain/base/fft.hpp"
#include "regrain/particles/pair_engine.hpp"
#include "waves.hpp"

namespace regrain::particles {

/// Charges are in units in which the energy of two is q q' / r. The energy is that of Essmann et
/// al., J. Chem. Phys. 103, 8577 (1995); forces and virial are its exact derivatives, so that they
/// conserve energy, but their sum is not zero.
///
/// Of each charge with itself a mesh makes an energy that depends on where between its points the
/// charge is. That is taken out, but for its higher harmonics (as Ballenegger, Cerda, Lenz and
/// Holm, J. Chem. Phys. 128, 034109 (2008), do with its force): it adds up in the energy, and would
/// be all of the error of a few large charges.
///
/// Order and points follow from the box, the number of charges and the accuracy alone: nothing is
/// remembered that decides a bit.
class MeshSum {
public:
    /// `accuracy` is that of Ewald.
    MeshSum(double alpha, double accuracy) : alpha_(alpha), accuracy_(accuracy) {}

    /// Energy (`charge`) and virial, if asked for; forces are written to one place per charge.
    Sums compute(std::span<const Charge> charges, const Box& box, std::span<Vec3> forces,
                 bool with_sums);

    /// What it would take: see mesh_plan.hpp.
    [[nodiscard]] MeshPlan plan(const Box& box, std::size_t charges) const {
        return plan_mesh(box, charges, alpha_, accuracy_);
    }

private:
    /// All that a mesh of some points and splines of some order need.
    struct Tools {
        explicit Tools(const MeshPlan& plan);

        MeshPlan plan;
        Splines splines;
        MeshShape shape;
        RealTransform<double> transform;
        std::array<std::vector<double>, 3> squares;  ///< what splines make of waves
        /// What a charge, u of the way between two points, has with itself of each wave, instead of
        /// the product of `squares`: that over axes of mean + cosine cos 2 pi u + ...
        struct Own {
            double mean{0.0}, cosine{0.0};
        };
        std::array<std::vector<Own>, 3> own;
        std::vector<double> mesh, values;  ///< with the copies of points, and without
        std::vector<std::complex<double>> spectrum;
        std::vector<double> weights;       ///< of the spectrum in the potential
        std::array<double, 3> own_energy;  ///< of a unit charge, the factor of cos 2 pi u
    };

    void prepare(const Box& box, std::size_t charges);
    void weigh(const Box& box);
    void sort(std::span<const Charge> charges, const Box& box);
    void spread();
    Sums solve(const Box& box, bool with_sums);
    struct Squares {
        double all{0.0};
        Vec3 cosines;
        Squares& operator+=(const Squares& o) {
            all += o.all;
            cosines += o.cosines;
            return *this;
        }
    };
    [[nodiscard]] Squares squares() const;
    [[nodiscard]] Sums sums_of(const SpectrumBlock<double>& block, const Box& box,
                               const Squares& squares) const;
    void gather(const Box& box, std::span<Vec3> forces) const;
    void unfold();

    double alpha_, accuracy_;
    std::optional<Tools> tools_;
    std::optional<Box> box_;  ///< that the weights are for
    std::size_t charges_{0};
    std::vector<MeshCharge> sorted_, unsorted_;
    std::vector<std::size_t> first_;  ///< charge of each plane
};

}  // namespace regrain::particles
