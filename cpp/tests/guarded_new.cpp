// An operator new that puts the end of every block at the end of a page, before one that nobody may
// touch: what reads or writes past the end of a block stops there, at full speed and in code that
// no sanitizer can check, such as kernels whose vectors are wider than what is left. To be
// preloaded (LD_PRELOAD) into a program that uses the C++ library as a shared one.
//
// Blocks begin where operator new promises (at 16 bytes, or what is asked for), so that up to 15
// bytes may be between their end and that of the page. These hold NaN, and are looked at when the
// block is given back.
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t pages = std::size_t{1} << 24;  // of address space, 64 GiB
constexpr unsigned char filling = 0xFF;

// A slot is 2^kind pages for one block, and the page behind them. It costs two mappings, of which
// Linux allows 65530, so that there are blocks without a guard once too many are in use.
constexpr std::size_t kinds = 24;
constexpr std::uint32_t most_small = 16000, most_large = 12000;  // slots of kind 0, and of others

struct Info {  // by page: of the block that begins there, or of the free slot that does
    std::uint64_t size;
    std::uint32_t next;         ///< free slot of the kind, or 0
    std::uint16_t kind, slack;  ///< bytes between the ends of the block and of the page
};

struct Arena {
    char* memory{nullptr};
    Info* info{nullptr};
    std::size_t used{1};  // pages; page 0 stands for none
    std::uint32_t free[kinds]{};
    std::uint32_t small{0}, large{0};
    std::atomic_flag busy{};

    [[nodiscard]] bool holds(const void* p) const {
        const char* at = static_cast<const char*>(p);
        return memory != nullptr && at >= memory && at < memory + pages * page;
    }
    [[nodiscard]] std::size_t page_of(const void* p) const {
        return static_cast<std::size_t>(static_cast<const char*>(p) - memory) / page;
    }
};

// Never destroyed: blocks are given back until the very end.
constinit Arena arena;

struct Lock {
    Lock() {
        while (arena.busy.test_and_set(std::memory_order_acquire)) usleep(0);
    }
    ~Lock() { arena.busy.clear(std::memory_order_release); }
};

[[noreturn]] void stop(const char* what, std::uint64_t size, const void* block) {
    char text[160];
    const int length = std::snprintf(text, sizeof text, "guarded: %s a block of %llu bytes at %p\n",
                                     what, static_cast<unsigned long long>(size), block);
    if (write(STDERR_FILENO, text, static_cast<std::size_t>(length)) < 0) _exit(2);
    _exit(1);
}

// The block before the page that was touched.
void on_fault(int signal_number, siginfo_t* fault, void*) {
    if (arena.holds(fault->si_addr)) {
        const std::size_t touched = arena.page_of(fault->si_addr);
        std::size_t at = touched;
        while (at > 0 && arena.info[at].size == 0) --at;
        const Info& block = arena.info[at];
        stop("read or write past the end of", block.size,
             arena.memory + touched * page - block.size - block.slack);
    }
    signal(signal_number, SIG_DFL);  // anything else: again, and for good
}

void* reserve(std::size_t bytes, int access) {
    void* got = mmap(nullptr, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED) std::abort();
    return got;
}

void open_arena() {
    arena.info = static_cast<Info*>(reserve(pages * sizeof(Info), PROT_READ | PROT_WRITE));
    arena.memory = static_cast<char*>(reserve(pages * page, PROT_NONE));
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
}

// The first page of a slot, 0 when there are enough of them.
std::size_t take_slot(std::uint32_t kind) {
    const Lock lock;
    if (arena.memory == nullptr) open_arena();
    if (const std::uint32_t found = arena.free[kind]; found != 0) {
        arena.free[kind] = arena.info[found].next;
        return found;
    }
    std::uint32_t& count = kind == 0 ? arena.small : arena.large;
    const std::size_t length = std::size_t{1} << kind, first = arena.used;
    if (count == (kind == 0 ? most_small : most_large) || first + length + 1 > pages) return 0;
    if (mprotect(arena.memory + first * page, length * page, PROT_READ | PROT_WRITE) != 0) return 0;
    arena.used += length + 1;
    ++count;
    return first;
}

std::size_t rounded(std::size_t size, std::size_t alignment) {
    return (size + alignment - 1) / alignment * alignment;
}

void* take(std::size_t size, std::size_t alignment) noexcept {
    if (alignment < __STDCPP_DEFAULT_NEW_ALIGNMENT__) alignment = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
    if (size == 0) size = 1;
    const std::size_t room = rounded(size, alignment), needed = (room + page - 1) / page;
    const auto kind = static_cast<std::uint32_t>(std::bit_width(needed - 1));
    const std::size_t slot = kind < kinds && alignment <= page ? take_slot(kind) : 0;
    if (slot == 0) return std::aligned_alloc(alignment, room);
    char* end = arena.memory + (slot + (std::size_t{1} << kind)) * page;
    char* block = end - room;
    std::memset(block + size, filling, room - size);
    arena.info[arena.page_of(block)] = {size, 0, static_cast<std::uint16_t>(kind),
                                        static_cast<std::uint16_t>(room - size)};
    return block;
}

void give_back(void* p) noexcept {
    if (!arena.holds(p)) return std::free(p);
    auto* block = static_cast<char*>(p);
    Info& info = arena.info[arena.page_of(p)];
    for (std::size_t k = 0; k < info.slack; ++k) {
        if (static_cast<unsigned char>(block[info.size + k]) != filling)
            stop("write past the end of", info.size, p);
    }
    const std::uint32_t kind = info.kind;
    const std::size_t length = (std::size_t{1} << kind) * page;
    char* first = block + info.size + info.slack - length;
    info.size = 0;
    if (length > (std::size_t{1} << 20)) madvise(first, length, MADV_DONTNEED);
    const Lock lock;
    const auto slot = static_cast<std::uint32_t>(arena.page_of(first));
    arena.info[slot].next = arena.free[kind];
    arena.free[kind] = slot;
}

void* take_or_throw(std::size_t size, std::size_t alignment) {
    void* got = take(size, alignment);
    if (got == nullptr) throw std::bad_alloc();
    return got;
}

std::size_t number(std::align_val_t alignment) { return static_cast<std::size_t>(alignment); }

}  // namespace

void* operator new(std::size_t n) { return take_or_throw(n, 1); }
void* operator new[](std::size_t n) { return take_or_throw(n, 1); }
void* operator new(std::size_t n, std::align_val_t a) { return take_or_throw(n, number(a)); }
void* operator new[](std::size_t n, std::align_val_t a) { return take_or_throw(n, number(a)); }
void* operator new(std::size_t n, const std::nothrow_t&) noexcept { return take(n, 1); }
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept { return take(n, 1); }
void* operator new(std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return take(n, number(a));
}
void* operator new[](std::size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return take(n, number(a));
}
void operator delete(void* p) noexcept { give_back(p); }
void operator delete[](void* p) noexcept { give_back(p); }
void operator delete(void* p, std::size_t) noexcept { give_back(p); }
void operator delete[](void* p, std::size_t) noexcept { give_back(p); }
void operator delete(void* p, std::align_val_t) noexcept { give_back(p); }
void operator delete[](void* p, std::align_val_t) noexcept { give_back(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { give_back(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { give_back(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { give_back(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { give_back(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { give_back(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { give_back(p); }
