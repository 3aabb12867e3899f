#include "deploy/soma/localnet/localnet_report.hpp"

#include <algorithm>

#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"

namespace soma::cli {
namespace {

/// An amount with two decimals, which is what a person compares. The JSON has the exact shannons.
std::string amount(shannons value) {
  return decimal_text(static_cast<double>(value.value) / shannons_per_soma, 2) + " SOMA";
}

json account_json(const localnet::localnet_account& account) {
  return json::of({{"name", account.name},
                   {"conduct", account.conduct},
                   {"address", account.id.text()},
                   {"scored", account.scored},
                   {"claimed", account.claimed},
                   {"won", account.won},
                   {"paid_shannons", account.paid.value},
                   {"bonds_lost_shannons", account.bonds_lost.value},
                   {"balance_shannons", account.balance.value}});
}

json models_json(const localnet::localnet_report& report) {
  json::array models;
  for (const auto& model : report.models) {
    json::object bits;
    for (const auto& [source, value] : model.bits_per_byte)
      bits.emplace_back(source, static_cast<float>(value));
    models.push_back(json::of({{"id", model.id.text()},
                               {"name", model.name},
                               {"bits_per_byte", json(std::move(bits))},
                               {"wins", model.wins},
                               {"paid_shannons", model.paid.value}}));
  }
  return models;
}

json mixture_json(const localnet::localnet_mixture& mixture) {
  json::array experts;
  for (const auto& expert : mixture.experts) {
    experts.push_back(json::of(
        {{"name", expert.name}, {"bits_per_byte", expert.bits_per_byte}, {"share", expert.share}}));
  }
  return json::of({{"bytes", mixture.bytes},
                   {"bits_per_byte", mixture.bits_per_byte},
                   {"experts", json(std::move(experts))}});
}

json validators_json(const std::vector<localnet::localnet_account>& validators) {
  json::array list;
  for (const auto& one : validators) {
    list.push_back(json::of({{"name", one.name},
                             {"conduct", one.conduct},
                             {"address", one.id.text()},
                             {"height", one.height},
                             {"paid_shannons", one.paid.value},
                             {"balance_shannons", one.balance.value}}));
  }
  return list;
}

json accounts_json(const std::vector<localnet::localnet_account>& accounts) {
  json::array list;
  for (const auto& account : accounts) list.push_back(account_json(account));
  return list;
}

void print_matrix(const localnet::localnet_report& report) {
  if (report.models.empty() || report.models.front().bits_per_byte.empty()) return;
  std::vector<std::string> header{"bits per byte"};
  for (const auto& [source, bits] : report.models.front().bits_per_byte) header.push_back(source);
  header.insert(header.end(), {"wins", "paid"});
  table matrix(header);
  for (const auto& model : report.models) {
    std::vector<std::string> cells{model.name};
    for (std::size_t s = 0; s < model.bits_per_byte.size(); ++s) {
      const auto best = std::min_element(
          report.models.begin(), report.models.end(), [&](const auto& a, const auto& b) {
            return a.bits_per_byte[s].second < b.bits_per_byte[s].second;
          });
      const auto text = decimal_text(model.bits_per_byte[s].second, 3);
      cells.push_back(best->id == model.id ? painted(text, colour::green, stream::out) : text);
    }
    cells.push_back(count_text(model.wins));
    cells.push_back(amount(model.paid));
    matrix.row(std::move(cells));
  }
  print_line(std::string("Specialists on data that nobody trained on") +
             (has_colour(stream::out) ? ", best in green:" : ", lower is better:"));
  matrix.print();
}

void print_mixture(const localnet::localnet_mixture& mixture) {
  if (mixture.experts.empty()) return;
  print_line("");
  print_line("The one model of all, on pieces of all sources in turn (" +
             count_text(mixture.bytes) + " bytes):");
  table list({"model", "bits per byte", "carried"});
  for (const auto& expert : mixture.experts) {
    list.row({expert.name + " alone", decimal_text(expert.bits_per_byte, 3),
              decimal_text(expert.share * 100, 1) + " %"});
  }
  list.row({painted("mixture", colour::bold, stream::out),
            painted(decimal_text(mixture.bits_per_byte, 3), colour::green, stream::out),
            "100.0 %"});
  list.print();
}

void print_accounts(const localnet::localnet_report& report) {
  print_line("");
  table list({"account", "conduct", "claimed", "won", "paid", "bonds lost"});
  for (const auto& account : report.submitters) {
    list.row({account.name, account.conduct, count_text(account.claimed), count_text(account.won),
              amount(account.paid), amount(account.bonds_lost)});
  }
  for (const auto& account : report.validators) {
    list.row({account.name, account.conduct, "", "", amount(account.paid), ""});
  }
  list.print();
}

}  // namespace

json to_json(const localnet::localnet_report& report) {
  const auto& t = report.targets;
  return json::of({{"seed", report.seed},
                   {"epochs", report.epochs},
                   {"height", report.height},
                   {"state_root", report.state_root.text()},
                   {"supply_ok", report.supply_ok},
                   {"targets", json::of({{"opened", t.opened},
                                         {"filled", t.filled},
                                         {"revealed", t.revealed},
                                         {"settled", t.settled},
                                         {"slashed", t.slashed},
                                         {"void", t.voided},
                                         {"expired", t.expired}})},
                   {"models", models_json(report)},
                   {"submitters", accounts_json(report.submitters)},
                   {"validators", validators_json(report.validators)},
                   {"validators_agree", report.validators_agree},
                   {"mixture", mixture_json(report.mixture)}});
}

void print_report(const localnet::localnet_report& report, const std::filesystem::path& directory,
                  double seconds) {
  print_line("");
  print_matrix(report);
  print_mixture(report.mixture);
  print_accounts(report);
  const auto& t = report.targets;
  print_line("");
  print_line("targets     " + count_text(t.opened) + " opened, " + count_text(t.filled) +
             " filled, " + count_text(t.settled) + " settled, " + count_text(t.slashed) +
             " slashed, " + count_text(t.voided) + " void, " + count_text(t.expired) + " expired");
  print_line("chain       " + count_text(report.epochs) + " epochs, " + count_text(report.height) +
             " blocks, " + duration_text(seconds));
  print_line("supply      " + (report.supply_ok ? painted("whole: every shannon accounted for",
                                                          colour::green, stream::out)
                                                : painted("BROKEN", colour::red, stream::out)));
  if (report.validators.size() > 1) {
    print_line("agreement   " + (report.validators_agree
                                     ? painted("all " + count_text(report.validators.size()) +
                                                   " ledgers hold the same blocks",
                                               colour::green, stream::out)
                                     : painted("BROKEN", colour::red, stream::out)));
  }
  print_line("state root  " + report.state_root.text());
  print_line("kept in     " + directory.string());
  print_line("go on with  soma ask --home " + directory.parent_path().string() + " \"#include <\"");
}

}  // namespace soma::cli
