#include "model/lua.h"

#include <gtest/gtest.h>

namespace emissary::model {
namespace {

TEST(ModelLua, WhatEnvoyCanRunPasses) {
  for (const char* script : {
           "",
           "function envoy_on_request(handle) handle:headers():add('a', 'b') end",
           "local names = {}\nfor i = 1, 100000 do names[i % 7] = tostring(i) .. string.char(65 + i % 26) end",
           "local ok = pcall(error, 'no')\nassert(not ok)",
           "print('hello', {})",
           "local twice = coroutine.wrap(function(a) coroutine.yield(bit.band(a, 3)) end)\nassert(twice(7) == 3)",
           "table.sort({3, 1, 2})\nmath.randomseed(1)\nassert(setmetatable({}, {__index = _G}).math.pi > 3)",
           "return 7",
       }) {
    EXPECT_EQ(luaProblem(script), "") << script;
  }
}

TEST(ModelLua, WhatCannotBeToldPasses) {
  for (const char* script : {
           "math.randomseed(os.time())\nerror('no')",
           "local json = require('json')\njson.x.y = 1",
           "local f = io.open('/etc/passwd', 'w')\nf:write('x')",
           "os.exit(1)",
           "loadstring('while true do end')()",
           "local ok = pcall(os.remove, '/tmp/x')\nerror('no')",
           "('x'):rep(40):find(('x?'):rep(40) .. ('x'):rep(40))",
           "debug.sethook()\nwhile true do end",
           "collectgarbage('stop')\nx.y = 1",
           "if jit.version then error('no') end",
           "while not pcall(string.gsub, 'a', 'a', 'b') do end",
           "xpcall(function() while true do end end, function() while true do end end)",
           "getmetatable(newproxy(true)).__gc = function() while true do end end",
       }) {
    EXPECT_EQ(luaProblem(script), "") << script;
  }
}

TEST(ModelLua, WhatFailsIsTold) {
  struct Row {
    const char* script;
    const char* problem;
  };
  const std::string endless = "does not end, or not soon, when Envoy first runs it; do the work in";
  for (const auto& [script, problem] : {
           Row{"function x(\n", "is no Lua script: line:2: "},
           Row{"\x1bLJ\x02", "is no Lua script: "},
           Row{"local x = nil\nx.y = 1", "fails when Envoy first runs it: line:2: attempt to index local 'x' (a nil value)"},
           Row{"error('no')", "fails when Envoy first runs it: line:1: no"},
           Row{"error('a\\nb\\1')", "fails when Envoy first runs it: line:1: a"},
           Row{"error({})", "fails when Envoy first runs it: an error without a text"},
           Row{"error()", "fails when Envoy first runs it: an error without a text"},
           Row{"local s = 'x'\nwhile true do s = s .. s end", "fails when Envoy first runs it: it needs more than 64 MiB"},
           Row{"('x'):rep(1e9)", "fails when Envoy first runs it: it needs more than 64 MiB"},
           Row{"local function f() return 1 + f() end\nf()", "fails when Envoy first runs it: stack overflow"},
           Row{"envoy_on_request.x = 1", "fails when Envoy first runs it: line:1: attempt to index global 'envoy_on_request'"},
       }) {
    EXPECT_TRUE(luaProblem(script).starts_with(problem)) << script << ": " << luaProblem(script);
  }
  for (const char* script : {
           "while true do end",
           "while true do pcall(function() while true do end end) end",
           "while true do coroutine.wrap(function() while true do end end)() end",
           "local function f() return f() end\nf()",
           "local s = ('x'):rep(1e6)\nwhile true do local t = s .. 'y' end",
           "local t = setmetatable({}, {__index = function(t, k) return t[k] end})\nwhile true do pcall(function() return t.x end) "
           "end",
       }) {
    EXPECT_TRUE(luaProblem(script).starts_with(endless)) << script << ": " << luaProblem(script);
  }
}

}  // namespace
}  // namespace emissary::model
