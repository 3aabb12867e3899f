#include "deploy/soma/source/ledger_source.hpp"

#include <algorithm>

#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/source/stored_ledger.hpp"
#include "messages/signing/signing.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

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

std::vector<tables::listed_status> statuses_in(ledger_source& source, tables::row_index index,
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
    if (key.empty() || value.size() > 8) {
      throw source_failure("an index of counts is of another version");
    }
    std::uint64_t count = 0;
    for (const auto byte : value) count = count << 8 | byte;
    if (count > 0) found[static_cast<Status>(key[0])] = count;
    return true;
  });
  return found;
}

}  // namespace

/// A source may answer several keys from several states. So the chain row is read before and after
/// the pages, and a list counts only if it was the same in all states that were read.
std::vector<hash256> ledger_source::listed(list_kind which) {
  constexpr std::uint64_t pages_a_question = 254;  // of 256 keys
  constexpr int most_tries = 8;
  const bool is_models = which == list_kind::active_models;
  struct version {
    std::uint64_t changes = 0, length = 0;
    bool operator==(const version&) const = default;
  };
  const auto version_in = [&](const chain_row& c) {
    return is_models ? version{c.registry_version, c.active_models}
                     : version{c.height.value, c.open_targets};
  };
  auto now = version_in(chain());
  for (int tries = 0; tries < most_tries; ++tries) {
    std::optional<version> first;
    const auto pages = (now.length + list_page_ids - 1) / list_page_ids;
    std::vector<hash256> ids;
    std::uint64_t page = 0;
    do {
      std::vector<row_key> keys{chain_key()};
      for (const auto end = std::min(pages, page + pages_a_question); page < end; ++page) {
        keys.push_back(list_key({which, static_cast<std::uint32_t>(page)}));
      }
      keys.push_back(chain_key());
      const auto values = find_many(keys);
      if (!values.front() || !values.back()) throw source_failure(where() + " has no chain");
      const auto before = version_in(decoded<chain_row>(*values.front()));
      now = version_in(decoded<chain_row>(*values.back()));
      if (before != now || first.value_or(now) != now) break;
      first = now;
      for (std::size_t i = 1; i + 1 < values.size(); ++i) {
        if (!values[i]) break;
        const auto row = decoded<list_row>(*values[i]);
        ids.insert(ids.end(), row.ids.begin(), row.ids.end());
      }
    } while (page < pages);
    if (first != now || page < pages || ids.size() != now.length) continue;
    std::ranges::sort(ids);
    return ids;
  }
  throw source_failure("the list changes faster than it can be read; try again");
}

std::vector<tables::listed_status> ledger_source::targets_of(epoch_number epoch) {
  bytes prefix;
  for (int shift = 56; shift >= 0; shift -= 8) {
    prefix.push_back(static_cast<std::uint8_t>(epoch.value >> shift));
  }
  return statuses_in(*this, tables::row_index::targets_by_epoch, prefix);
}

std::vector<tables::listed_status> ledger_source::undecided_targets() {
  return statuses_in(*this, tables::row_index::targets_undecided, {});
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

std::vector<std::optional<bytes>> ledger_source::find_many(std::span<const row_key> keys) {
  std::vector<std::optional<bytes>> found;
  for (const auto& key : keys) found.push_back(find(key));
  return found;
}

void add_evidence(json& facts, const ledger_source& source, bool is_complete) {
  using enum ledger_source::evidence;
  if (source.proven() == own) return;
  facts.set("proven", source.proven() == nothing ? "nothing" : is_complete ? "complete" : "rows");
}

void note_evidence(const ledger_source& source, std::string_view proven_or_not) {
  using enum ledger_source::evidence;
  if (source.proven() == rows && !proven_or_not.empty()) {
    note_line(std::string(proven_or_not));
  } else if (source.proven() == nothing) {
    note_line("nothing of this is proven: --unverified");
  }
}

expected<std::unique_ptr<ledger_source>, failure> open_stored_source(const run_context& context,
                                                                     const fs::path& named) {
  auto opened = stored_ledger::open(context, named);
  if (!opened) return make_unexpected(opened.error());
  return std::unique_ptr<ledger_source>(std::make_unique<stored_source>(std::move(*opened)));
}

}  // namespace soma::cli
