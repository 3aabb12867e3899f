#include "deploy/soma/network/gateway_ledger.hpp"

#include <algorithm>
#include <charconv>

#include "actors/rules/genesis_state.hpp"
#include "actors/wallet/wallet.hpp"
#include "deploy/soma/network/gateway_blobs.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::cli {
namespace {

using gateway_client::distrust;
using gateway_client::fetch_port;
using gateway_client::fetched;
using gateway_client::http_fetch;
using gateway_client::refusal;
using gateway_client::verified_ledger;

constexpr std::uint64_t between_writes_ms = 1'000;
constexpr std::string_view what_to_do =
    "check the network, or name other gateways with --join https://HOST:PORT";

/// Questions for rows have connections of their own, so that one may be slow while its gateway is
/// asked for something else.
std::vector<gateway_client::fetch_race::runner> runners_of(
    const std::vector<http::origin>& gateways) {
  std::vector<gateway_client::fetch_race::runner> all;
  for (const auto& at : gateways) {
    const auto by = std::make_shared<http_fetch>(fetch_options(at));
    all.push_back({by->port().proven_rows, [by] { by->cancel(); }});
  }
  return all;
}

std::vector<std::string> names_of(const std::vector<http::origin>& gateways) {
  std::vector<std::string> names;
  for (const auto& one : gateways) names.push_back(shown_gateways({one}));
  return names;
}

/// "EPOCH:0xBLOCK".
expected<std::optional<gateway_client::client_options::known_end>, failure> read_end(
    const std::string& text) {
  std::optional<gateway_client::client_options::known_end> none;
  if (text.empty()) return none;
  const auto colon = text.find(':');
  const auto block =
      colon == std::string::npos ? std::nullopt : block_id::parse(text.substr(colon + 1));
  std::uint64_t epoch = 0;
  const auto* stop = text.data() + std::min(colon, text.size());
  const auto read = std::from_chars(text.data(), stop, epoch);
  if (!block || read.ec != std::errc() || read.ptr != stop) {
    return wrong_usage("--trusted-end", "`" + text + "` is not EPOCH:0xBLOCK",
                       "write the number of the epoch and the id of the block that closed it");
  }
  return std::optional(gateway_client::client_options::known_end{{epoch}, *block});
}

/// What a person can do about a reason that is no gateway's fault.
std::string remedy_for(const gateway_client::pool_refusal& why) {
  if (!why.own) return std::string(what_to_do);
  return "get the block that closed a recent epoch from somebody you trust, and name it with "
         "--trusted-end EPOCH:0xBLOCK; or remove the folder networks of the home to begin anew "
         "with "
         "what a gateway says";
}

unexpected<failure> no_answer(const std::string& problem, const gateway_client::pool_refusal& why) {
  const bool is_other = std::ranges::any_of(
      why.left, [](const auto& one) { return one.second.reason == distrust::wrong_genesis; });
  return named(is_other ? failure_names::other_network : failure_names::unreachable,
               failed(problem, to_text(why), remedy_for(why)));
}

std::string_view listing_name(tables::row_index index) {
  switch (index) {
    case tables::row_index::targets_by_epoch:
      return "targets-by-epoch";
    case tables::row_index::targets_undecided:
      return "targets-undecided";
    case tables::row_index::target_counts:
      return "target-counts";
    case tables::row_index::model_counts:
      break;
  }
  return "model-counts";
}

/// Whether verbs can compute with a row that nothing proves: the rules take it for granted that an
/// owner has no more shares than there are. A row that does not decode is refused by its reader.
bool is_plausible(byte_view key, byte_view value) {
  const auto fits = [](const auto& row) {
    return !row || row->pool.owner_shares <= row->pool.shares;
  };
  const auto table = table_of(key);
  if (table == ledger_table::model) return fits(decode<model_row>(value));
  if (table == ledger_table::validator) return fits(decode<validator_row>(value));
  return table.has_value();
}

unexpected<refusal> other_answer() {
  return make_unexpected(refusal{distrust::other_answer, {}, std::nullopt});
}

}  // namespace

gateway_ledger::gateway_ledger(const run_context& context,
                               const std::vector<http::origin>& gateways)
    : memory_(context.home),
      where_((gateways.size() == 1 ? "the gateway at " : "the gateways at ") +
             shown_gateways(gateways)),
      origins_(gateways),
      pool_(names_of(gateways), telling_options()),
      rows_(runners_of(gateways)) {
  for (const auto& at : gateways) {
    gateways_.push_back(std::make_unique<http_fetch>(fetch_options(at)));
  }
}

gateway_ledger::~gateway_ledger() {
  try {
    keep_trust(true);
  } catch (const std::exception& error) {
    note_line("what is proven could not be kept: " + reason_of(error));
  }
}

expected<std::unique_ptr<gateway_ledger>, failure> gateway_ledger::open(
    const run_context& context, const ledger_place& place,
    const std::vector<http::origin>& gateways) {
  const auto named_by_person = place.named_network(context);
  if (!named_by_person) return make_unexpected(named_by_person.error());
  const auto end = read_end(place.trusted_end);
  if (!end) return make_unexpected(end.error());
  std::unique_ptr<gateway_ledger> made(new gateway_ledger(context, gateways));
  const auto known = made->memory_.known();
  if (!known) return make_unexpected(known.error());
  const auto network = *named_by_person ? *named_by_person : *known;
  if (auto found = made->find_genesis(network); !found) return make_unexpected(found.error());
  if (place.unverified) {
    note_line("WARNING: --unverified: nothing that " + made->where_ +
              " says is proven, and it may lie");
    return made;
  }
  gateway_client::client_options options;
  options.known = *end;
  // Whoever asks a gateway which network there is believes this gateway about the network, and so
  // about its committee: nothing more is given away when the network is older than it may be.
  options.accept_gap = !network && !*end;
  if (auto begun = made->begin(options); !begun) return make_unexpected(begun.error());
  if (*known) return made;
  const auto& chain = made->chain_of();
  if (auto kept = made->memory_.remember(chain); !kept) return make_unexpected(kept.error());
  note_line((network ? "network " : "network, as the gateway says: ") + made->genesis().name +
            ", chain " + chain.text());
  note_line("fingerprint " + fingerprint(chain) + "; kept in " +
            made->memory_.known_file().string() +
            (network ? "" : ": compare it with somebody else's before you send money"));
  if (made->verified_->crossed_gap()) {
    note_line(
        "the network is older than the time for which a committee's stake is held, so its "
        "committee is the gateway's word, too; name a block with --trusted-end to prove it");
  }
  return made;
}

/// The genesis is asked for in each run. It is believed by its hash, if the network is known.
outcome gateway_ledger::find_genesis(const std::optional<chain_id>& network) {
  const auto found = pool_.call([&](std::size_t which) -> expected<bytes, refusal> {
    auto fetched = gateways_[which]->port().genesis();
    const auto read = gateway_client::read_genesis(fetched);
    if (!read) return make_unexpected(read.error());
    const auto said = signing::chain_id_of(*read);
    if (network && said != *network) {
      return make_unexpected(refusal{
          distrust::wrong_genesis,
          "it is of chain " + said.text() + ", and yours is " + network->text(), std::nullopt});
    }
    if (const auto bad = rules::check_genesis(*read)) {
      return make_unexpected(
          refusal{distrust::wrong_genesis, std::string(rules::to_text(*bad)), std::nullopt});
    }
    return std::move(*fetched);
  });
  if (!found) return no_answer("cannot join the network", found.error());
  genesis_bytes_ = *found;
  set_genesis(decoded<soma::genesis>(genesis_bytes_));
  return {};
}

/// Goes on from what the home has kept, or from the genesis, up to the newest block.
outcome gateway_ledger::begin(gateway_client::client_options options) {
  if (const auto kept = memory_.trust(chain_)) {
    auto resumed = verified_ledger::resume(chain_, *kept, unix_now_ms, options);
    if (resumed) {
      verified_.emplace(std::move(*resumed));
      kept_height_ = verified_->height();
    } else {
      memory_.set_trust_aside(chain_, std::string(to_text(resumed.error().reason)));
    }
  }
  if (!verified_) {
    gateway_client::fetch_port fetched_before;
    fetched_before.genesis = [this]() -> gateway_client::fetched { return genesis_bytes_; };
    auto started = verified_ledger::start(chain_, fetched_before, unix_now_ms, options);
    if (!started) {
      return failed("cannot follow the network", describe(pool_.present(), started.error()),
                    std::string(what_to_do));
    }
    verified_.emplace(std::move(*started));
  }
  const auto reached = catch_up();
  keep_trust(true);
  if (!reached) return no_answer("cannot follow the network", reached.error());
  return {};
}

expected<block_header, gateway_client::pool_refusal> gateway_ledger::catch_up() {
  const std::vector<row_key> newest{chain_key()};
  return race(verified_ledger::question(newest),
              [&](const fetch_port& from) { return verified_->catch_up(from); });
}

void gateway_ledger::keep_trust(bool is_last) {
  if (!verified_ || !verified_->header() || verified_->height() <= kept_height_) return;
  const auto now = unix_now_ms();
  if (!is_last && now >= kept_at_ms_ && now - kept_at_ms_ < between_writes_ms) return;
  kept_at_ms_ = now;
  kept_height_ = verified_->height();
  const auto kept = memory_.keep_trust(chain_, verified_->kept());
  // The rows are proven all the same. The next command follows the network from further behind.
  if (!kept && !std::exchange(has_failed_to_keep_, true)) note_line(one_line(kept.error()));
}

void gateway_ledger::give_up(const gateway_client::pool_refusal& why) {
  throw source_failure(to_text(why) + "; " + remedy_for(why));
}

std::optional<bytes> gateway_ledger::find(byte_view key) {
  const row_key wanted(key.begin(), key.end());
  return std::move(find_page({&wanted, 1}).front());
}

std::vector<std::optional<bytes>> gateway_ledger::find_many(std::span<const row_key> keys) {
  std::vector<std::optional<bytes>> found;
  while (found.size() < keys.size()) {
    auto rest = keys.subspan(found.size());
    rest = rest.first(std::min(rest.size(), verified_ledger::max_keys));
    for (auto& value : find_page(rest)) found.push_back(std::move(value));
  }
  return found;
}

/// The values of the first of these keys, at least of one.
std::vector<std::optional<bytes>> gateway_ledger::find_page(std::span<const row_key> keys) {
  using values = std::vector<std::optional<bytes>>;
  return read(verified_ledger::question(keys),
              [&](const fetch_port& from) -> expected<values, refusal> {
                if (verified_) {
                  auto proven = verified_->find_many(from, keys);
                  if (!proven) return make_unexpected(std::move(proven.error()));
                  return std::move(proven->values);
                }
                const auto read = gateway_client::read_rows(from.proven_rows({}));
                if (!read) return make_unexpected(read.error());
                if (read->rows.empty() || read->rows.size() > keys.size()) return other_answer();
                values found;
                for (std::size_t i = 0; i < read->rows.size(); ++i) {
                  const auto& row = read->rows[i];
                  if (row.key != keys[i] || (row.value && !is_plausible(row.key, *row.value))) {
                    return other_answer();
                  }
                  found.push_back(row.value);
                }
                return found;
              });
}

gateway_ledger::row_page gateway_ledger::scan_page(byte_view prefix, byte_view after) {
  constexpr std::uint32_t most = verified_ledger::max_keys;
  return read(
      verified_ledger::question(prefix, after, most),
      [&](const fetch_port& from) -> expected<row_page, refusal> {
        if (verified_) {
          auto proven = verified_->page(from, prefix, after, most);
          if (!proven) return make_unexpected(std::move(proven.error()));
          return row_page{std::move(proven->rows), proven->more};
        }
        auto read = gateway_client::read_rows(from.proven_rows({}));
        if (!read) return make_unexpected(read.error());
        row_page found{{}, read->more && !read->rows.empty()};
        row_key last(after.begin(), after.end());
        for (auto& row : read->rows) {
          // The order shows that the pages come to an end. Verbs read whole keys of a table.
          const bool begins = row.key.size() >= prefix.size() &&
                              std::ranges::equal(byte_view(row.key).first(prefix.size()), prefix);
          if (!row.value || !begins || row.key <= last || !is_plausible(row.key, *row.value)) {
            return other_answer();
          }
          last = row.key;
          found.rows.emplace_back(std::move(row.key), std::move(*row.value));
        }
        return found;
      });
}

void gateway_ledger::scan(byte_view prefix, const tables::row_visitor& visit) {
  row_key after;
  for (bool more = true; more;) {
    const auto page = scan_page(prefix, after);
    for (const auto& [key, value] : page.rows) {
      if (!visit(key, value)) return;
    }
    more = page.more && !page.rows.empty();
    if (more) after = page.rows.back().first;
  }
}

void gateway_ledger::scan_index(tables::row_index index, byte_view prefix,
                                const tables::row_visitor& visit) {
  bytes after;
  for (bool more = true; more;) {
    const auto page = asked([&](http_fetch& gateway) -> expected<message<schema::Rows>, refusal> {
      auto read = gateway.listing(listing_name(index), prefix, after, http_fetch::max_listed);
      if (!read) return read;
      auto last = after;
      for (const auto& row : read->root().getRows()) {
        auto key = bytes_of(row.getKey());
        if (key <= last) return other_answer();
        last = std::move(key);
      }
      return read;
    });
    for (const auto& row : page.root().getRows()) {
      if (!visit(view_of(row.getKey()), view_of(row.getValue()))) return;
      after = bytes_of(row.getKey());
    }
    more = page.root().getMore() && page.root().getRows().size() > 0;
  }
}

std::string gateway_ledger::where() const {
  return where_;
}

message<schema::ChainStatus> gateway_ledger::status() {
  return asked([](http_fetch& gateway) { return gateway.network(); });
}

offered gateway_ledger::offer(const signed_transaction& transaction) {
  const auto offer = wallet::offer(transaction);
  return asked([&](http_fetch& gateway) -> expected<offered, refusal> {
    const auto reply = gateway.submit(offer);
    if (!reply && reply.error().reason == distrust::declined) {
      // It has answered: the transaction waits nowhere.
      return offered{consensus::pool_refusal::pool_full, reply.error().detail};
    }
    if (!reply) return make_unexpected(reply.error());
    const auto why = reply->root().getRefusal();
    return offered{validator::offer_refusal_of(why), why_of(why)};
  });
}

transaction_state gateway_ledger::state_of(const transaction_id& id, std::uint32_t wait_ms) {
  return read_state(
      asked([&](http_fetch& gateway) { return gateway.transaction(id, wait_ms); }).root());
}

/// Nothing proves what a gateway says of the holders. If it lies, the validators judge the revealed
/// model late or not at all, and no stake is lost by that.
std::optional<std::vector<public_key>> gateway_ledger::holders_of(const blob_id& blob,
                                                                  std::uint64_t size_bytes,
                                                                  std::uint32_t) {
  const auto reply = asked([&](http_fetch& gateway) { return gateway.holders(blob, size_bytes); });
  if (!reply.root().getCanAsk()) return std::nullopt;
  std::vector<public_key> keys;
  for (const auto& key : reply.root().getKeys()) {
    if (const auto read = array_of<32>(key)) keys.push_back(*read);
  }
  return keys;
}

}  // namespace soma::cli
