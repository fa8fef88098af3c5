// The envelope that all kinds share (apiVersion, kind, metadata), Lists, API versions, annotations, and who reads what.

#include "model/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "convert/convert.h"
#include "model/annotation.h"
#include "model/content_hash.h"
#include "model/expand.h"
#include "model/fields.h"
#include "model/readers.h"
#include "model/text.h"

namespace emissary::model {
namespace {

using manifest::Value;

constexpr std::string_view kOurGroup = "getambassador.io";
/// Ids of objects that were stored by way of v2 carry it.
constexpr std::string_view kIdPrefix = "--apiVersion-v3alpha1-only--";
constexpr int kMaxListDepth = 8;
/// Of an object's text that is kept for people to look at.
constexpr size_t kMaxSource = 64 << 10;

struct ApiVersion {
  std::string_view group;
  std::string_view version;
};

ApiVersion split(std::string_view text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return {"", text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

bool isClusterScoped(Kind kind) { return kind == Kind::Namespace || kind == Kind::IngressClass; }
bool isOurs(Kind kind) { return kindGroup(kind) == kOurGroup; }

/// Of Kubernetes' own kinds.
bool versionIsRead(Kind kind, std::string_view version) {
  return version == "v1" || (version == "v1beta1" && !kindGroup(kind).empty());
}

/// Kinds of ours that would have an effect if this version acted on them.
bool isAwaited(Kind kind) {
  switch (kind) {
    case Kind::AuthService:
    case Kind::ConsulResolver:
    case Kind::LogService:
    case Kind::RateLimitService:
    case Kind::TracingService: return true;
    default: return false;
  }
}

/// Ids as any version writes them: a text or a list. Wrong ones are told by `report`, if there is one.
void readIds(Fields& spec, Object& object, bool tell) {
  const bool camel = object.ref.kind == Kind::Host;
  const Value* value = camel ? spec.take("ambassadorId") : nullptr;
  const std::string_view name = value != nullptr ? "ambassadorId" : "ambassador_id";
  const Value* usual = spec.take("ambassador_id");
  if (value == nullptr) value = usual;
  std::vector<std::string> ids;
  if (value != nullptr && value->isString()) {
    ids.push_back(value->string);
  } else if (value != nullptr && value->isList() && !tell) {
    for (const Value& item : value->list) {
      if (item.isString()) ids.push_back(item.string);
    }
  } else if (value != nullptr) {
    spec.read(name, ids);
  }
  for (std::string& id : ids) {
    if (id.starts_with(kIdPrefix)) id.erase(0, kIdPrefix.size());
  }
  if (!ids.empty()) object.ambassador_id = std::move(ids);
}

/// Whether metadata.annotations says "true" under `name`.
bool annotated(const Value& document, std::string_view name) {
  const Value* metadata = document.find("metadata");
  const Value* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  return annotations != nullptr && annotations->text(name) == "true";
}

void readOurs(const Value& document, Object& object, Report& report) {
  const Kind kind = object.ref.kind;
  Fields spec(report, document.find("spec"), Path(nullptr, "spec"));
  readIds(spec, object, true);
  if (isAwaited(kind)) {
    report.warning("", 0, fmt::format("{} is not acted on in this version", kindName(kind)));
    object.findings.back().about = About::Unsupported;
    return;
  }
  switch (kind) {
    case Kind::Mapping: readMapping(spec, object); break;
    case Kind::Host: readHost(spec, object); break;
    case Kind::Listener: readListener(spec, object); break;
    case Kind::Module: readModule(spec, object); break;
    case Kind::TLSContext: readTlsContext(spec, object); break;
    case Kind::TCPMapping: readTcpMapping(spec, annotated(document, kPassthroughAnnotation), object); break;
    case Kind::KubernetesEndpointResolver:
    case Kind::KubernetesServiceResolver: readResolver(spec, object); break;
    default: return;
  }
  spec.finish();
}

void readKubernetes(const Value& document, Kind kind, Report& report) {
  switch (kind) {
    case Kind::Service: return readService(document, report);
    case Kind::Endpoints: return readEndpoints(document, report);
    case Kind::EndpointSlice: return readEndpointSlice(document, report);
    case Kind::Secret: return readSecret(document, report);
    default: return;
  }
}

/// Who it is for must be known even of an object that cannot be read; what else is wrong with it need not.
void readIdsOnly(const Value& document, Object& object) {
  Object aside;
  aside.ref = object.ref;
  Report unheard(aside);
  Fields spec(unheard, document.find("spec"), Path(nullptr, "spec"));
  readIds(spec, aside, false);
  if (!aside.ambassador_id.empty()) object.ambassador_id = std::move(aside.ambassador_id);
}

/// Findings name fields as they were written.
void nameAsWritten(std::vector<Finding>& findings, size_t first, const std::vector<convert::Renamed>& renamed) {
  for (size_t i = first; i < findings.size(); ++i) {
    std::string& field = findings[i].field;
    for (const convert::Renamed& name : renamed) {
      const bool it_is = field.starts_with(name.now) &&
                         (field.size() == name.now.size() || field[name.now.size()] == '.' || field[name.now.size()] == '[');
      if (!it_is) continue;
      field.replace(0, name.now.size(), name.written);
      break;
    }
  }
}

/// An object of ours, of whatever version. Returns what it says in v3alpha1: `document`, or what was made of it, in `place`.
const Value* readVersion(const Value& document, std::string_view version_name, const ParseContext& context, Report& report,
                         Value& place) {
  Object& object = report.object();
  const std::string_view kind = kindName(object.ref.kind);
  const Value* written = document.find("apiVersion");
  const int line = written != nullptr ? written->line : 0;
  const auto version = convert::versionNamed(version_name);
  if (!version || !convert::exists(kind, *version)) {
    report.refuse("apiVersion", line,
                  fmt::format("{} is no version of {}; write it as {}/v3alpha1", quoted(version_name), kind, kOurGroup));
    readIdsOnly(document, object);
    return &document;
  }
  const Value* now = &document;
  convert::Converted converted;
  if (*version != convert::Version::V3alpha1) {
    converted = convert::toV3alpha1(document, kind, *version);
    report.notice("apiVersion", line,
                  fmt::format("{}/{} is deprecated; write the object as {}/v3alpha1", kOurGroup, version_name, kOurGroup));
    for (convert::Remark& remark : converted.remarks)
      report.warning(std::move(remark.field), remark.line, std::move(remark.message));
    now = &(place = std::move(converted.object));
  }
  const size_t first = object.findings.size();
  if (context.variables != nullptr && holdsVariables(*now, object.ref.kind)) {
    if (now != &place) now = &(place = document);
    expandVariables(place, object.ref.kind, *context.variables, report);
  }
  readOurs(*now, object, report);
  nameAsWritten(object.findings, first, converted.renamed);
  return now;
}

/// Without annotations: tools write whole copies of other objects there.
std::string sourceOf(const Value& document, const Object& object, std::string_view api_version) {
  const auto text = [](std::string_view written) {
    Value value;
    value.type = Value::Type::String;
    value.string = written;
    return value.canonical();
  };
  std::string out = fmt::format(R"({{"apiVersion":{},"kind":{},"metadata":{{"name":{},"namespace":{})", text(api_version),
                                text(kindName(object.ref.kind)), text(object.ref.name), text(object.ref.ns));
  const Value* metadata = document.find("metadata");
  if (const Value* labels = metadata != nullptr ? metadata->find("labels") : nullptr; labels != nullptr && labels->isMap()) {
    out += R"(,"labels":)" + labels->canonical();
  }
  out += '}';
  if (const Value* spec = document.find("spec")) out += R"(,"spec":)" + spec->canonical();
  out += '}';
  return out.size() <= kMaxSource ? out : "";
}

/// Fields beside `spec`: often those of a spec that was forgotten.
void warnOfStrayFields(const Value& document, Report& report) {
  static constexpr std::array<std::string_view, 5> kTop = {"apiVersion", "kind", "metadata", "spec", "status"};
  int left = 5;
  for (const auto& [name, value] : document.map) {
    if (std::find(kTop.begin(), kTop.end(), name) != kTop.end() || left-- <= 0) continue;
    report.warning(printable(name, 64), value.line,
                   fmt::format("is ignored here; fields of a {} belong under spec", kindName(report.object().ref.kind)));
  }
}

/// Bounded, whatever is in it. Neither lists nor what lies deeper have lines of their own.
FieldLines linesOf(const Value& document) {
  constexpr size_t kMost = 64;
  FieldLines lines;
  size_t count = 0;
  const Value* spec = document.find("spec");
  if (spec == nullptr || !spec->isMap()) return lines;
  for (const auto& [name, value] : spec->map) {
    if (++count > kMost) break;
    const std::string field = "spec." + name;
    lines.add(field, value.line);
    if (!value.isMap()) continue;
    for (const auto& [below, inner] : value.map) {
      if (++count > kMost) break;
      lines.add(field + "." + below, inner.line);
    }
  }
  return lines;
}

class Reader {
 public:
  /// `origin`: whose annotation is read; Kind::Unknown for none.
  Reader(const ParseContext& context, ParsedDocument& out, ObjectRef origin = {})
      : context_(context), out_(out), origin_(std::move(origin)) {}

  /// `kind` and `api_version`: of an item that names none, what its List says.
  void read(const Value& document, std::string_view list_kind = {}, std::string_view list_version = {}, int depth = 0);

 private:
  void readList(const Value& list, std::string_view kind, std::string_view api_version, int depth);
  void readObject(const Value& document, Kind kind, std::string_view api_version);
  void readAnnotated(const Value& document, Object& object, Report& report);
  /// The text under metadata.`field`; false when it cannot be used at all, which is then told.
  bool nameField(const Value& metadata, std::string_view field, std::string_view kind, std::string& out, bool& good);
  void tell(Severity severity, std::string field, int line, std::string message);
  void tellUnknown(const Value& document, std::string_view kind, std::string_view api_version);

  const ParseContext& context_;
  ParsedDocument& out_;
  const ObjectRef origin_;
};

void Reader::tell(Severity severity, std::string field, int line, std::string message) {
  Finding& finding = out_.findings.emplace_back();
  finding.severity = severity;
  finding.field = std::move(field);
  finding.message = std::move(message);
  finding.path = context_.path;
  finding.line = line;
}

void Reader::tellUnknown(const Value& document, std::string_view kind, std::string_view api_version) {
  const Value* metadata = document.find("metadata");
  const std::string_view name = metadata != nullptr ? metadata->text("name") : "";
  std::string message = fmt::format("unknown kind {} ({}){}; it is ignored", printable(kind), printable(api_version),
                                    name.empty() ? "" : " of the object " + quoted(name));
  const Kind known = kindNamed(kind);
  if (known != Kind::Unknown) {
    const std::string_view group = kindGroup(known);
    const std::string_view version = isOurs(known) ? convert::versionName(convert::Version::V3alpha1) : "v1";
    message += fmt::format("; {} is read as {}{}{}", kind, group, group.empty() ? "" : "/", version);
  }
  tell(Severity::Warning, "kind", document.line, std::move(message));
}

void Reader::readList(const Value& list, std::string_view kind, std::string_view api_version, int depth) {
  const Value* items = list.find("items");
  if (items == nullptr || items->isNull()) return;
  if (!items->isList()) return tell(Severity::Error, "items", items->line, "must be a list of objects, but is " + describe(*items));
  if (depth >= kMaxListDepth) {
    return tell(Severity::Error, "items", items->line, fmt::format("Lists stand in one another more than {} deep", kMaxListDepth));
  }
  // Items of a typed list ("MappingList") may leave their kind out, as API servers do.
  const std::string_view item_kind = kind.substr(0, kind.size() - std::string_view("List").size());
  for (const Value& item : items->list) read(item, item_kind, item_kind.empty() ? "" : api_version, depth + 1);
}

void Reader::read(const Value& document, std::string_view list_kind, std::string_view list_version, int depth) {
  if (document.isNull()) return;
  if (!document.isMap()) {
    return tell(Severity::Error, "", document.line,
                fmt::format("a manifest is a map with apiVersion, kind and metadata, but this is {}", describe(document)));
  }
  const auto envelope = [&](std::string_view field, std::string_view fallback, std::string_view& out) {
    const Value* value = document.find(field);
    if (value == nullptr || value->isNull() || (value->isString() && value->string.empty())) {
      out = fallback;
      if (out.empty()) tell(Severity::Error, std::string(field), document.line, "is missing; the object cannot be read without it");
    } else if (!value->isString()) {
      tell(Severity::Error, std::string(field), value->line, fmt::format("must be text, but is {}", describe(*value)));
    } else {
      out = value->string;
    }
    return !out.empty();
  };
  std::string_view kind_name, api_version;
  const bool has_kind = envelope("kind", list_kind, kind_name);
  if (!has_kind) return;
  const Value* items = document.find("items");
  const bool typed = kind_name.ends_with("List") && items != nullptr && items->isList();
  if (kind_name == "List" || typed) return readList(document, kind_name, document.text("apiVersion"), depth);
  if (!envelope("apiVersion", list_version, api_version)) return;

  const Kind kind = kindNamed(kind_name);
  const ApiVersion written = split(api_version);
  const bool known = kind != Kind::Unknown && written.group == kindGroup(kind);
  if (!known || (!isOurs(kind) && !versionIsRead(kind, written.version))) return tellUnknown(document, kind_name, api_version);
  readObject(document, kind, api_version);
}

bool Reader::nameField(const Value& metadata, std::string_view field, std::string_view kind, std::string& out, bool& good) {
  const Value* value = metadata.find(field);
  if (value == nullptr || value->isNull()) return true;
  const std::string path = fmt::format("metadata.{}", field);
  if (!value->isString()) {
    tell(Severity::Error, path, value->line,
         fmt::format("of a {} must be text, but is {}; write it in quotes", kind, describe(*value)));
    return false;
  }
  const bool label = field == "namespace";
  good = label ? isDnsLabel(value->string) : isDnsSubdomain(value->string);
  // What is no name at all cannot even stand in a reference.
  if (!good && !value->string.empty() && (value->string.size() > 253 || !textProblem(value->string).empty())) {
    tell(Severity::Error, path, value->line, fmt::format("of a {} is no name: {}", kind, quoted(value->string)));
    return false;
  }
  out = value->string;
  return true;
}

void Reader::readObject(const Value& document, Kind kind, std::string_view api_version) {
  const Value* metadata = document.find("metadata");
  if (metadata != nullptr && !metadata->isMap() && !metadata->isNull()) {
    return tell(Severity::Error, "metadata", metadata->line,
                fmt::format("must be a map of fields, but is {}", describe(*metadata)));
  }
  static const Value kNone;
  if (metadata == nullptr) metadata = &kNone;
  auto object = std::make_shared<Object>();
  bool good_name = true, good_ns = true;
  if (!nameField(*metadata, "name", kindName(kind), object->ref.name, good_name)) return;
  if (!isClusterScoped(kind) && !nameField(*metadata, "namespace", kindName(kind), object->ref.ns, good_ns)) return;
  if (object->ref.name.empty()) {
    return tell(Severity::Error, "metadata.name", document.line, fmt::format("is missing; a {} needs a name", kindName(kind)));
  }
  // "_automatic_": upstream's word in files for the control plane's own namespace.
  if (!isClusterScoped(kind) && (object->ref.ns.empty() || object->ref.ns == "_automatic_")) {
    object->ref.ns = context_.default_namespace;
    good_ns = true;
  }
  object->ref.kind = kind;
  if (context_.path.empty() && origin_.kind == Kind::Unknown) {
    const Value* generation = metadata->find("generation");
    if (generation != nullptr && generation->type == Value::Type::Int) object->generation = generation->integer;
    object->uid = metadata->text("uid");
  }
  object->path = context_.path;
  object->line = document.line;
  if (!context_.path.empty() && isOurs(kind)) object->field_lines = linesOf(document);
  object->origin = origin_;
  // Objects of Kubernetes' own kinds are for everybody.
  object->ambassador_id = {isOurs(kind) ? "default" : "_automatic_"};

  Report report(*object);
  const auto lineOf = [&](std::string_view field) {
    const Value* value = metadata->find(field);
    return value != nullptr ? value->line : 0;
  };
  if (!good_name) {
    report.refuse("metadata.name", lineOf("name"),
                  fmt::format("{} is no name; lower-case letters, digits, '-' and '.' may stand in one", quoted(object->ref.name)));
  }
  if (!good_ns) {
    report.refuse(
        "metadata.namespace", lineOf("namespace"),
        fmt::format("{} is no namespace; up to 63 lower-case letters, digits and '-' may stand in one", quoted(object->ref.ns)));
  }
  if (const Value* labels = metadata->find("labels"); labels != nullptr && !labels->isNull()) {
    const Path root(nullptr, "metadata");
    readTextMap(report, *labels, Path(&root, "labels"), object->labels);
  }
  if (isOurs(kind)) {
    object->source = sourceOf(document, *object, api_version);  // as written: no variable's value is in it
    Value place;
    const Value& content = *readVersion(document, split(api_version).version, context_, report, place);
    warnOfStrayFields(document, report);
    if (!object->usable) object->spec = std::monostate{};
    object->hash = contentHash(*object, content);
  } else {
    readKubernetes(document, kind, report);
    if (kind == Kind::Service || kind == Kind::Ingress) readAnnotated(document, *object, report);
    if (!object->usable) object->spec = std::monostate{};
    object->hash = contentHash(*object, document);
  }
  out_.objects.push_back(std::move(object));
}

/// What is in error itself brings nothing.
void Reader::readAnnotated(const Value& document, Object& object, Report& report) {
  if (!object.usable) return;
  for (const Value& inner : annotatedDocuments(document, report)) {
    ParsedDocument read;
    Reader(context_, read, object.ref).readObject(inner, kindNamed(inner.text("kind")), inner.text("apiVersion"));
    for (const Finding& finding : read.findings) {
      report.error(std::string(kConfigField), finding.line, fmt::format("{} {}", finding.field, finding.message));
    }
    for (ObjectPtr& made : read.objects) object.annotated.push_back(std::move(made));
  }
}

}  // namespace

ParsedDocument parseDocument(const Value& document, const ParseContext& context) {
  ParsedDocument out;
  Reader(context, out).read(document);
  return out;
}

}  // namespace emissary::model
