#include "model/lua.h"

#include <fmt/format.h>
#include <time.h>

#include <lua.hpp>

#include <cstdlib>
#include <memory>

#include "model/text.h"

namespace emissary::model {
namespace {

constexpr int kStep = 100;           // instructions between two looks at the limits
constexpr int kMostSteps = 100'000;  // a fraction of a second
constexpr int64_t kMostSeconds = 1;  // of work within instructions, such as joining long texts
constexpr size_t kMostMemory = 64u << 20;

/// One run of a script. Lua reaches it through the allocator's argument.
struct Trial {
  const std::string& script;
  size_t memory = 0;
  int steps = 0;
  int64_t started = 0;
  bool out_of_memory = false;
  bool endless = false;
  bool unknown = false;  // it used what is not here
  std::string problem;
};

int64_t secondsOfWork() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec;
}

Trial& trialOf(lua_State* state) {
  void* out = nullptr;
  lua_getallocf(state, &out);
  return *static_cast<Trial*>(out);
}

void* allocate(void* argument, void* block, size_t old_size, size_t new_size) {
  Trial& trial = *static_cast<Trial*>(argument);
  if (new_size > old_size && trial.memory - old_size + new_size > kMostMemory) {
    trial.out_of_memory = true;
    return nullptr;
  }
  void* out = new_size == 0 ? nullptr : std::realloc(block, new_size);
  if (new_size == 0) std::free(block);
  if (new_size == 0 || out != nullptr) trial.memory += new_size - old_size;
  return out;
}

void look(lua_State* state, lua_Debug* where);

/// Ends the run: an error now and at every instruction to come, so that no pcall of the script's goes on.
int stop(lua_State* state) {
  lua_sethook(state, look, LUA_MASKCOUNT, 1);
  return luaL_error(state, "stopped");
}

void look(lua_State* state, lua_Debug* /*where*/) {
  Trial& trial = trialOf(state);
  if (++trial.steps > kMostSteps || secondsOfWork() - trial.started > kMostSeconds) trial.endless = true;
  if (trial.endless || trial.unknown) stop(state);
}

/// Stands for everything that is not here.
int unknown(lua_State* state) {
  trialOf(state).unknown = true;
  return stop(state);
}

int nothing(lua_State* /*state*/) { return 0; }

void replace(lua_State* state, const char* table, std::initializer_list<const char*> names, lua_CFunction with) {
  lua_getglobal(state, table);
  for (const char* name : names) {
    lua_pushcfunction(state, with);
    lua_setfield(state, -2, name);
  }
  lua_pop(state, 1);
}

/// The libraries that need nothing but the script, without what may take for ever unseen: patterns, and functions that Lua calls
/// while no instruction is counted (an error's handler, a finalizer).
void openLibraries(lua_State* state) {
  for (const lua_CFunction open : {luaopen_base, luaopen_table, luaopen_string, luaopen_math, luaopen_bit}) {
    lua_pushcfunction(state, open);
    lua_call(state, 0, 0);
  }
  replace(state, "_G",
          {"collectgarbage", "dofile", "gcinfo", "load", "loadfile", "loadstring", "module", "newproxy", "require", "xpcall"},
          unknown);
  replace(state, "_G", {"print"}, nothing);
  replace(state, "string", {"find", "gmatch", "gsub", "match"}, unknown);
  for (const char* name : {"debug", "io", "jit", "os", "package"}) {
    lua_newtable(state);
    lua_newtable(state);
    lua_pushcfunction(state, unknown);
    lua_setfield(state, -2, "__index");
    lua_setmetatable(state, -2);
    lua_setglobal(state, name);
  }
}

std::string messageOf(lua_State* state) {
  return lua_isstring(state, -1) != 0 ? printable(lua_tostring(state, -1), 200) : "an error without a text";
}

int run(lua_State* state) {
  Trial& trial = trialOf(state);
  openLibraries(state);
  if (luaL_loadbufferx(state, trial.script.data(), trial.script.size(), "=line", "t") != 0) {
    trial.problem = "is no Lua script: " + messageOf(state);
    return 0;
  }
  lua_sethook(state, look, LUA_MASKCOUNT, kStep);
  const bool failed = lua_pcall(state, 0, 0, 0) != 0;
  lua_sethook(state, nullptr, 0, 0);
  if (trial.unknown) return 0;
  if (trial.endless) {
    trial.problem = "does not end, or not soon, when Envoy first runs it; do the work in envoy_on_request or envoy_on_response";
  } else if (failed) {
    trial.problem = "fails when Envoy first runs it: " +
                    (trial.out_of_memory ? fmt::format("it needs more than {} MiB", kMostMemory >> 20) : messageOf(state));
  }
  return 0;
}

}  // namespace

std::string luaProblem(const std::string& script) {
  Trial trial{.script = script, .started = secondsOfWork()};
  // Not luaopen_jit, so everything is interpreted, and every instruction counted.
  const std::unique_ptr<lua_State, decltype(&lua_close)> state(lua_newstate(allocate, &trial), lua_close);
  if (!state) return {};
  lua_cpcall(state.get(), run, nullptr);
  return trial.problem;
}

}  // namespace emissary::model
