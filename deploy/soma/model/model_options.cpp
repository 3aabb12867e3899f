#include "deploy/soma/model/model_options.hpp"

#include <map>

#include "actors/explain/names.hpp"
#include "deploy/soma/shell/units.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {

expected<model_architecture, failure> architecture_of(const std::string& text) {
  if (const auto arch = weights::parse_architecture(text)) return *arch;
  return wrong_usage("no architecture is called '" + text + "'", architecture_help,
                     "heads must divide dim into even parts; try --arch tiny");
}

namespace {

template <class Value>
expected<Value, failure> of_weights_file(const std::filesystem::path& path,
                                         expected<Value, weights::weights_refusal> read) {
  if (read) return std::move(*read);
  return failed("cannot use the weights " + path.string(), std::string(to_text(read.error())),
                "name a file that `soma model init` or `soma model train` wrote");
}

}  // namespace

expected<weights::model_weights, failure> weights_at(const std::filesystem::path& path,
                                                     const weights::weights_overrides& overrides) {
  return of_weights_file(path, weights::read_weights(path, overrides));
}

expected<weights::model_weights, failure> mapped_weights_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides) {
  return of_weights_file(path, weights::map_weights(path, overrides));
}

expected<weights::weights_outline, failure> outline_at(
    const std::filesystem::path& path, const weights::weights_overrides& overrides) {
  return of_weights_file(path, weights::read_outline(path, overrides));
}

outcome connect_blobs(const run_context& context, network_connection& network,
                      const std::string& verb, const std::string& address) {
  if (network.carries_blobs() && address.empty()) return {};
  const auto at = ledger_place::role(context, "--blobs", address, "blob_store");
  if (!at) return make_unexpected(at.error());
  if (*at) return network.connect_blobs(**at);
  return wrong_usage(verb + " needs a blob store", "the weights are not in the ledger",
                     "name one with --blobs HOST:PORT, or a gateway with --join https://HOST:PORT");
}

outcome check_threads(std::uint32_t threads) {
  if (threads < 1 || threads > 256) {
    return wrong_usage("--threads", std::to_string(threads) + " is not between 1 and 256", "try 1");
  }
  return {};
}

std::string percent(std::uint32_t bps) {
  return decimal_text(bps / 100.0, 2) + " %";
}

std::string verdicts_text(const std::vector<cast_vote<model_verdict>>& votes) {
  std::map<model_verdict, unsigned> counted;
  for (const auto& vote : votes) ++counted[vote.verdict];
  std::string text;
  for (const auto& [verdict, count] : counted) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " +
            std::string(explain::name_of(verdict));
  }
  return text.empty() ? "none yet" : text;
}

}  // namespace soma::cli
