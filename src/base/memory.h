#pragma once
// What this process keeps of the memory that it freed. glibc gives each thread a pool of its own and returns little by itself.

#include <malloc.h>

namespace emissary::memory {

/// Before the threads start: two pools for all of them.
inline void sharePools() { mallopt(M_ARENA_MAX, 2); }

/// Back to the system with what was freed. Takes milliseconds: for after large pieces of work.
inline void giveBack() { malloc_trim(0); }

}  // namespace emissary::memory
