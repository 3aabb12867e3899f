#include <algorithm>

#include "deploy/soma/command_line.hpp"
#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

class config_show final : public verb {
 public:
  std::string_view name() const override { return "config show"; }
  std::string_view summary() const override { return "print the configuration in force"; }
  std::string_view example() const override {
    return "soma config show\nsoma config show --config node.toml --json";
  }
  void declare(option_set&) override {}
  outcome run(const run_context& context) override;
};

// Puts the options of a verb into the document: under its name, or for a name of two words into the
// table of the first word, which is made if it is missing.
void put(json& document, std::string_view verb_name, json options) {
  const auto blank = verb_name.find(' ');
  if (blank == std::string_view::npos) {
    document.set(std::string(verb_name), std::move(options));
    return;
  }
  const auto group = std::string(verb_name.substr(0, blank));
  const auto* old = document.find(group);
  auto members = old == nullptr ? json(json::object()) : *old;
  members.set(std::string(verb_name.substr(blank + 1)), std::move(options));
  json renewed = json::object();
  for (const auto& [name, value] : *document.as_object()) {
    if (name != group) renewed.set(name, value);
  }
  renewed.set(group, std::move(members));
  document = std::move(renewed);
}

outcome config_show::run(const run_context& context) {
  auto verbs = bind_verbs();
  if (auto applied = apply_config(context.config, verbs); !applied) return applied;
  json document = json::object();
  document.set("home", context.home.string());
  for (const auto* name : {"join", "network"}) {
    const auto* value = context.config.find(name);
    document.set(name, value == nullptr ? json() : *value);
  }
  for (const auto& bound : verbs) {
    json options = json::object();
    for (const auto& o : bound.options->all()) {
      if (!o.is_positional) options.set(config_name(o.name), o.get());
    }
    if (!options.as_object()->empty()) put(document, bound.action->name(), std::move(options));
  }
  for (const auto& bound : verbs) {
    for (const auto& name : bound.options->tables()) {
      const auto* table = context.config.find(name);
      if (table != nullptr && document.find(name) == nullptr) document.set(name, *table);
    }
  }
  if (context.wants_json) {
    print_line(document.text());
    return {};
  }
  print_line("# From " + (context.config_path.empty() ? "no file: all values are defaults"
                                                      : context.config_path.string()));
  auto text = to_toml(document);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  print_text(text);
  return {};
}

}  // namespace

std::unique_ptr<verb> make_config_show() {
  return std::make_unique<config_show>();
}

}  // namespace soma::cli
