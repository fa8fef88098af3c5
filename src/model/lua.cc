#include "model/lua.h"

#include <lua.hpp>

#include <memory>

#include "model/text.h"

namespace emissary::model {

std::string luaProblem(const std::string& script) {
  const std::unique_ptr<lua_State, decltype(&lua_close)> state(luaL_newstate(), lua_close);
  if (!state || luaL_loadbuffer(state.get(), script.data(), script.size(), "=line") == 0) return {};
  const char* message = lua_tostring(state.get(), -1);
  return "is no Lua script: " + printable(message != nullptr ? message : "it does not parse", 200);
}

}  // namespace emissary::model
