#include "compile/glob.h"

namespace emissary::compile {

bool isExact(std::string_view glob) { return glob.find('*') == std::string_view::npos; }

bool globsOverlap(std::string_view a, std::string_view b) {
  if (a == b || a == "*" || b == "*") return true;
  if (a.empty() || b.empty() || a.front() == '.' || b.front() == '.') return false;
  const bool a_head = a.front() == '*', a_tail = a.back() == '*';
  const bool b_head = b.front() == '*', b_tail = b.back() == '*';
  if ((a_head && a_tail) || (b_head && b_tail)) return false;
  if (!a_head && !a_tail && !b_head && !b_tail) return false;
  if ((a_head && b_tail) || (a_tail && b_head)) return true;
  if (a_head && b_head) {
    const auto t = a.substr(1), u = b.substr(1);
    return t.ends_with(u) || u.ends_with(t);
  }
  if (a_tail && b_tail) {
    const auto t = a.substr(0, a.size() - 1), u = b.substr(0, b.size() - 1);
    return t.starts_with(u) || u.starts_with(t);
  }
  // one wildcard, one exact name
  const std::string_view wild = (a_head || a_tail) ? a : b;
  const std::string_view exact = (a_head || a_tail) ? b : a;
  if (wild.front() == '*') {
    const auto t = wild.substr(1);
    return exact.size() > t.size() && exact.ends_with(t);
  }
  const auto t = wild.substr(0, wild.size() - 1);
  return exact.size() > t.size() && exact.starts_with(t);
}

}  // namespace emissary::compile
