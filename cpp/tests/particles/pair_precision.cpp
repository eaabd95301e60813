#include <cmath>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "pair_systems.hpp"
#include "regrain/base/parallel.hpp"

using namespace regrain;
using namespace regrain::particles;
using namespace pair_systems;

// The same bound as below for the largest force, and for sums over many pairs the error of a sum of
// so many numbers, each half a unit of 2^-24 off.
TEST("mixed precision is as close to double as single precision of single pairs allows") {
    std::vector<ForceField> fields{mixed(), kinds()};
    for (PairPotential& potential : every_kind()) fields.push_back(one(std::move(potential)));
    std::uint64_t seed = 31;
    for (const std::size_t which : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
        const Box box = brute::boxes()[which];
        const double least = std::max(0.06, 0.35 * std::min(1.0, box.min_height()));
        const auto r = apart(box, 61, least, seed++);  // the last group is not full
        for (ForceField field : fields) {
            const auto types = types_of(r.size(), field.types);
            std::erase_if(field.exclusions, [&](auto p) { return p.second >= r.size(); });
            PairEngine full(field, types, 0.2), single(field, types, 0.2, Precision::mixed);
            std::vector<Vec3> rows(r.size());
            full.assign(r, box);
            const Sums sums = full.compute(rows, true);
            const auto forces = by_id(full, rows);
            single.assign(r, box);
            const Sums rounded = single.compute(rows, true);
            const auto near = by_id(single, rows);
            double scale = 1e-3;
            for (const Vec3& f : forces) scale = std::max(scale, norm(f));
            // Images of a particle in a small box add up many pairs.
            const double pairs = std::max(1.0, full.mean_neighbors() / 100.0);
            for (std::size_t i = 0; i < r.size(); ++i)
                CHECK_NEAR(norm(near[i] - forces[i]), 0.0, 2e-5 * pairs * scale);
            const double total = static_cast<double>(r.size()) * scale * pairs;
            CHECK_NEAR(rounded.energy, sums.energy, 3e-6 * total);
            for (std::size_t k = 0; k < 6; ++k)
                CHECK_NEAR(rounded.virial[k], sums.virial[k], 3e-6 * total);
        }
    }
}

TEST("mixed precision does not depend on where in the world the particles are") {
    // A large box, whose coordinates single precision holds to 1e-4 only.
    const Box box(Vec3{900.0, 900.0, 900.0});
    const auto cluster = apart(Box(Vec3{6.0, 6.0, 6.0}), 300, 0.4, 5);
    const ForceField field = one(LennardJones{1.0, 0.5, 1.0937, Cutoff::force_shifted});
    const auto types = types_of(cluster.size(), 1);
    for (const Vec3& at :
         {Vec3{3.0, 5.0, 4.0}, Vec3{880.0, 871.0, 893.0}, Vec3{898.0, 2.0, 899.0}}) {
        std::vector<Vec3> r;
        for (const Vec3& c : cluster) r.push_back(c + at);
        PairEngine full(field, types, 0.2), single(field, types, 0.2, Precision::mixed);
        std::vector<Vec3> rows(r.size());
        full.assign(r, box);
        full.compute(rows, false);
        const auto forces = by_id(full, rows);
        single.assign(r, box);
        single.compute(rows, false);
        const auto near = by_id(single, rows);
        double error = 0.0, size = 0.0;
        for (std::size_t i = 0; i < r.size(); ++i) {
            error += norm2(near[i] - forces[i]);
            size += norm2(forces[i]);
        }
        // In so empty a box the groups are as wide as the cluster, 12: places are rounded to 2^-25
        // of that, 15 parts in 2^24 of the closest distance, 0.4; r^-13 makes 13 times as much of
        // it.
        CHECK(std::sqrt(error / size) < 15.0 * 13.0 * 0x1p-24);
        CHECK(error > 0.0);
    }
}

TEST("a group of rows far apart sees the pairs where counted coordinates begin anew") {
    // The reach is 1.2937, so that 32 bits count 128. Half of that from the first particle on lies
    // between the others of its group and their neighbours, more than one vector of them.
    const Box box(Vec3{200.0, 200.0, 200.0});
    std::vector<Vec3> r{{1.0, 1.0, 1.0}, {64.75, 1.0, 1.0}, {64.75, 3.0, 1.0}, {64.75, 5.0, 1.0}};
    for (int y = 0; y < 7; ++y)
        for (int z = 0; z < 4; ++z) r.push_back({65.25, 0.6 + 0.8 * y, 0.5 + 0.5 * z});
    const ForceField field = one(LennardJones{1.0, 0.5, 1.0937, Cutoff::force_shifted});
    const auto types = types_of(r.size(), 1);
    PairEngine full(field, types, 0.2), single(field, types, 0.2, Precision::mixed);
    std::vector<Vec3> rows(r.size());
    full.assign(r, box);
    full.compute(rows, false);
    const auto forces = by_id(full, rows);
    single.assign(r, box);
    single.compute(rows, false);
    const auto near = by_id(single, rows);
    for (std::size_t i = 0; i < r.size(); ++i) {
        CHECK_NEAR(norm(near[i] - forces[i]), 0.0, 1e-4);
    }
    CHECK(norm(forces[3]) > 0.1);
}

TEST("an engine in mixed precision continues to the same bits, on any number of threads") {
    ForceField field = mixed(0.5);
    const Box start({{{8.0, 0.0, 0.0}, {2.5, 8.5, 0.0}, {-3.0, 1.0, 7.5}}});
    const auto r = apart(start, 701, 0.3, 21);
    const auto types = types_of(r.size(), field.types);
    const int threads_before = threads();
    std::vector<std::vector<Vec3>> results;
    for (const int count : {1, 2, 3}) {
        set_threads(count);
        PairEngine engine(field, types, 0.25, Precision::mixed);
        engine.list_rows();
        engine.assign(r, start);
        std::vector<Vec3> forces(r.size());
        for (std::uint32_t step = 0; step < 8; ++step) {
            const Philox random(8, 1);
            const auto rows = engine.rows();
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const auto u = random.normal4(step, engine.ids()[i]);
                rows[i].x += 0.01 * u[0];
                rows[i].y += 0.01 * u[1];
            }
            engine.refresh();
            engine.compute(forces, false);
            if (step == 4 && count == 3) {
                const auto saved = engine.snapshot();
                engine = PairEngine(field, types, 0.25, Precision::mixed);
                engine.list_rows();
                engine.restore(saved);
            }
        }
        results.push_back(by_id(engine, forces));
        CHECK(results.back() == results.front());
        CHECK(!engine.neighbors(17).empty());
    }
    set_threads(threads_before);
}

TEST("mixed precision refuses the same, and numbers that it has no room for") {
    std::vector<Vec3> r{{1.0, 1.0, 1.0}, {3.0, 3.0, 3.0}, {4.98, 1.0, 1.0}, {0.001, 1.0, 1.0}};
    const auto mixed_message = [&](PairPotential potential) {
        return message(one(std::move(potential)), r, Precision::mixed);
    };
    CHECK(mixed_message(LennardJones{1.0, 1.0, 2.0}).find("particles 2 and 3") !=
          std::string::npos);
    r[3].x = 4.98;  // exactly on top
    CHECK(mixed_message(LennardJones{1.0, 1.0, 2.0}).find("distance 0") != std::string::npos);
    CHECK(mixed_message(Soft{25.0, 1.5}).find("distance 0") != std::string::npos);
    r[3].x = 0.43;
    CHECK(mixed_message(LennardJones{1.0, 1.0, 2.0}).empty());
    CHECK(mixed_message(TabulatedPair{soft_table(0.5, 1.5)}).find("0.45") != std::string::npos);
    CHECK_THROWS(Error, mixed_message(LennardJones{1.6e-21, 3.4e-10, 8.5e-10}));
    CHECK_THROWS(Error, mixed_message(Soft{1e30, 1.0}));
}
