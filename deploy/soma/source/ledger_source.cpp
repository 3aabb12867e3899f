#include "deploy/soma/source/ledger_source.hpp"

#include <algorithm>

#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/source/ledger_connection.hpp"
#include "deploy/soma/source/node_config.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

class stored_source final : public ledger_source {
 public:
  explicit stored_source(stored_ledger opened) : ledger_(std::move(opened)) {
    set_genesis(ledger_.genesis());
    names_ = ledger_.names();
  }
  std::optional<bytes> find(byte_view key) override { return view_.find_row(key); }
  void scan(byte_view prefix, const tables::row_visitor& visit) override {
    view_.scan_prefix(prefix, visit);
  }
  bool visit_events_of(const address& account, const tables::event_visitor& visit) override {
    view_.visit_events_of(account, visit);
    return true;
  }
  void scan_index(tables::row_index index, byte_view prefix,
                  const tables::row_visitor& visit) override {
    view_.scan_index(index, prefix, [&](byte_view key, byte_view value) {
      const bool begins =
          key.size() >= prefix.size() && std::ranges::equal(key.first(prefix.size()), prefix);
      return begins && visit(key, value);
    });
  }
  std::string where() const override { return "the ledger in " + ledger_.folder().string(); }

 private:
  stored_ledger ledger_;
  // One view for the whole run of a verb, so that all its rows belong to the same block.
  tables::ledger_view view_ = ledger_.view();
};

const std::string* text_at(const json& config, std::string_view dotted) {
  const auto* found = config.find_path(dotted);
  return found == nullptr ? nullptr : found->as_string();
}

}  // namespace

namespace {

std::vector<tables::listed_status> listed(ledger_source& source, tables::row_index index,
                                          byte_view prefix) {
  std::vector<tables::listed_status> found;
  source.scan_index(index, prefix, [&](byte_view key, byte_view value) {
    const auto one = tables::listed_status::parse(key, value);
    if (!one) throw source_failure("an index of targets is of another version");
    found.push_back(*one);
    return true;
  });
  return found;
}

template <class Status>
std::map<Status, std::uint64_t> counted(ledger_source& source, tables::row_index index) {
  std::map<Status, std::uint64_t> found;
  source.scan_index(index, {}, [&](byte_view key, byte_view value) {
    std::uint64_t count = 0;
    for (const auto byte : value) count = count << 8 | byte;
    if (count > 0) found[static_cast<Status>(key[0])] = count;
    return true;
  });
  return found;
}

}  // namespace

std::vector<tables::listed_status> ledger_source::targets_of(epoch_number epoch) {
  bytes prefix;
  for (int shift = 56; shift >= 0; shift -= 8) {
    prefix.push_back(static_cast<std::uint8_t>(epoch.value >> shift));
  }
  return listed(*this, tables::row_index::targets_by_epoch, prefix);
}

std::vector<tables::listed_status> ledger_source::undecided_targets() {
  return listed(*this, tables::row_index::targets_undecided, {});
}

std::map<target_status, std::uint64_t> ledger_source::target_counts() {
  return counted<target_status>(*this, tables::row_index::target_counts);
}

std::map<model_status, std::uint64_t> ledger_source::model_counts() {
  return counted<model_status>(*this, tables::row_index::model_counts);
}

chain_row ledger_source::chain() {
  auto found = row<chain_row>(chain_key());
  if (!found) throw source_failure(where() + " has no chain");
  return std::move(*found);
}

void ledger_source::set_genesis(soma::genesis genesis) {
  genesis_ = std::move(genesis);
  chain_ = signing::chain_id_of(genesis_);
}

void ledger_place::declare(option_set& options) {
  add_ledger_option(options, ledger);
  options
      .add("join", join, "ask the validator that listens there; default: the validator of --config")
      .shown_as("HOST:PORT");
  options.add("certificate", certificate,
              "certificate of this process, for --join; default: [tls] of --config; see `soma node "
              "new-cert`");
  options.add("certificate-key", certificate_key, "key of the certificate");
  options.add("ca", ca, "certificate of the operator's authority");
}

expected<mesh::host_port, failure> remote_at(const std::string& option, const std::string& text) {
  const auto at = mesh::parse_remote(text);
  if (at) return *at;
  return wrong_usage(option, "`" + text + "`: " + std::string(mesh::to_text(at.error())),
                     std::string(mesh::how_to_write_address));
}

expected<std::optional<mesh::host_port>, failure> ledger_place::role(const run_context& context,
                                                                     const std::string& option,
                                                                     const std::string& given,
                                                                     const std::string& role) {
  if (!given.empty()) {
    const auto at = remote_at(option, given);
    if (!at) return make_unexpected(at.error());
    return std::optional(*at);
  }
  for (const auto* name : {".at", ".listen"}) {
    const auto* text = text_at(context.config, "roles." + role + name);
    if (text == nullptr) continue;
    const auto at = mesh::parse_host_port(*text);
    if (!at) {
      return failed("the configuration's roles." + role + name,
                    "`" + *text + "`: " + std::string(mesh::to_text(at.error())),
                    std::string(mesh::how_to_write_address));
    }
    if (at->port != 0) return std::optional(*at);
  }
  return std::optional<mesh::host_port>{};
}

expected<std::optional<mesh::host_port>, failure> ledger_place::validator(
    const run_context& context) const {
  return role(context, "--join", join, "validator");
}

expected<cluster::cluster_identity, failure> ledger_place::identity(
    const run_context& context) const {
  cluster::cluster_identity found{certificate, certificate_key, ca};
  for (const auto& [name, path] :
       {std::pair{"tls.certificate", &found.certificate}, std::pair{"tls.key", &found.key},
        std::pair{"tls.ca", &found.ca}}) {
    const auto* text = text_at(context.config, name);
    if (path->empty() && text != nullptr) *path = path_beside(context.config_path, *text);
  }
  if (found.certificate.empty() || found.key.empty() || found.ca.empty()) {
    return wrong_usage("a validator answers over mutual TLS only",
                       "all of --certificate, --certificate-key and --ca are needed",
                       "`soma node new-cert` makes them; they can also stand in [tls] of --config");
  }
  if (auto checked = check_identity(found); !checked) return make_unexpected(checked.error());
  return found;
}

expected<std::unique_ptr<ledger_source>, failure> open_source(const run_context& context,
                                                              const ledger_place& place) {
  const auto validator = place.validator(context);
  if (!validator) return make_unexpected(validator.error());
  const bool prefers_stored =
      place.join.empty() && (!place.ledger.empty() || find_ledger(context, {}).has_value());
  if (*validator && !prefers_stored) {
    auto connected = ledger_connection::open(context, place);
    if (!connected) return make_unexpected(connected.error());
    return std::unique_ptr<ledger_source>(std::move(*connected));
  }
  auto opened = stored_ledger::open(context, place.ledger);
  if (!opened) return make_unexpected(opened.error());
  return std::unique_ptr<ledger_source>(std::make_unique<stored_source>(std::move(*opened)));
}

}  // namespace soma::cli
