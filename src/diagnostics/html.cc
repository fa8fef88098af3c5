#include "diagnostics/html.h"

#include <fmt/format.h>

#include "diagnostics/names.h"

namespace emissary::diagnostics {
namespace {

constexpr size_t kBrief = 400;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --line: #d5d9e0; --soft: #f4f6f9; --text: #1f2733; --dim: #5d6877; --link: #1a5fb4;
  --green: #1a7f37; --yellow: #8a6100; --red: #b3261e; --orange: #b4530a; --grey: #5d6877; }
@media (prefers-color-scheme: dark) { :root { --line: #39424f; --soft: #1d232b; --text: #e3e8ef; --dim: #9aa6b5; --link: #78aeed;
  --green: #57c878; --yellow: #e3b341; --red: #f2827a; --orange: #f0965a; --grey: #9aa6b5; } body { background: #14181e; } }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; color: var(--text);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
.box { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
  display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: .25rem 2rem; }
.box div { display: flex; gap: .6rem; } .box dt { color: var(--dim); flex: 0 0 8.5rem; } .box dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th { text-align: left; color: var(--dim); font-weight: 600; border-bottom: 2px solid var(--line); padding: .3rem .6rem .3rem 0; }
td { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; vertical-align: top; overflow-wrap: anywhere; }
td p { margin: 0; } .narrow { width: 7rem; } .private td { opacity: .6; }
ul { margin: 0; padding-left: 1.2rem; } li { margin: .2rem 0; overflow-wrap: anywhere; } .dim { color: var(--dim); }
.problems { border-left: 4px solid var(--red); background: var(--soft); padding: .6rem 1rem; } .problems ul { list-style: none; padding: 0; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; overflow: auto; max-height: 40rem;
  font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.green { color: var(--green); } .yellow { color: var(--yellow); } .red { color: var(--red); } .orange { color: var(--orange); }
.grey { color: var(--grey); } .dot { font-size: .8em; padding-right: .3em; }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string brief(std::string_view text) {
  if (text.size() <= kBrief) return escaped(text);
  size_t end = kBrief;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  return escaped(text.substr(0, end)) + "…";
}

std::string detailLink(std::string_view source, std::string_view text) {
  return fmt::format(R"(<a href="./{}">{}</a>)", urlEncoded(source), brief(text));
}

std::string pageBegin(std::string_view title, std::string_view heading) {
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{}</title><link rel="icon" type="image/svg+xml" href="../favicon.ico"><style>{}</style></head>
<body><h1>{}</h1>
)",
                     escaped(title), kStyle, heading);
}

std::string_view pageEnd() { return "</body></html>\n"; }

}  // namespace emissary::diagnostics
