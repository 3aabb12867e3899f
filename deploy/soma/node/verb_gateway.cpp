// What a gateway answers, from the table that routes its requests.
#include "actors/gateway/endpoints.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/verbs.hpp"

namespace soma::cli {
namespace {

json names_of(std::span<const gateway::parameter> parameters) {
  json list = json::list();
  for (const auto& one : parameters) list.push(std::string(one.name));
  return list;
}

class gateway_endpoints final : public verb {
 public:
  std::string_view name() const override { return "gateway endpoints"; }
  std::string_view summary() const override { return "the paths that a gateway answers"; }
  std::string_view example() const override {
    return "soma gateway endpoints\n"
           "soma gateway endpoints --json";
  }
  void declare(option_set&) override {}
  outcome run(const run_context& context) override {
    table rows({"method", "path", "gives"});
    json list = json::list();
    for (const auto& one : gateway::endpoints()) {
      rows.row({std::string(to_text(one.verb)), std::string(one.path), std::string(one.summary)});
      list.push(json::of({{"method", to_text(one.verb)},
                          {"path", one.path},
                          {"gives", one.summary},
                          {"message", one.message.empty() ? json() : json(one.message)},
                          {"query", names_of(one.query)},
                          {"body_bytes", one.body.most_bytes}}));
    }
    if (context.wants_json) {
      print_line(json::of({{"endpoints", std::move(list)}}).text());
    } else {
      rows.print();
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<verb> make_gateway_endpoints() {
  return std::make_unique<gateway_endpoints>();
}

}  // namespace soma::cli
