#include "actors/gateway_client/gateway_answer.hpp"

#include <algorithm>

#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway_client {
namespace {

constexpr std::size_t max_detail_bytes = 256;

unexpected<refusal> malformed(std::string_view why) {
  return make_unexpected(refusal{distrust::malformed, std::string(why), std::nullopt});
}
unexpected<refusal> malformed(parse_refusal why) {
  return malformed(to_text(why));
}

unexpected<refusal> not_fetched(const fetch_error& failed) {
  return make_unexpected(refusal_of(failed));
}

/// A stranger's text on a person's terminal: without control characters and not long.
std::string shown(std::string text) {
  text.resize(std::min(text.size(), max_detail_bytes));
  for (auto& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

template <class Answer>
expected<message<Answer>, refusal> answer_of(const fetched& from) {
  if (!from) return not_fetched(from.error());
  auto read = message<Answer>::parse(*from);
  if (!read && read.error() == parse_refusal::too_large) {
    return not_fetched(fetch_failure::too_large);
  }
  if (!read) return malformed(read.error());
  const auto why = read->root().getRefusal();
  if (is_refused(why)) {
    refusal no{distrust::declined, shown(why_of(why)), std::nullopt};
    if (why.isLedger()) no.declined = why.getLedger();
    return make_unexpected(std::move(no));
  }
  return std::move(*read);
}

expected<void, refusal> read_finality(schema::Finality::Reader from, answered_rows& to) {
  const auto layouts = view_of(from.getHeaders());
  if (layouts.empty() || layouts.size() % header_layout_bytes != 0 ||
      layouts.size() / header_layout_bytes > max_proof_headers) {
    return malformed("the headers are not whole headers, or too many");
  }
  for (std::size_t at = 0; at < layouts.size(); at += header_layout_bytes) {
    auto header = decode<block_header>(layouts.subspan(at, header_layout_bytes));
    if (!header) return malformed(header.error());
    to.headers.push_back(*header);
  }
  auto final = decode<certificate>(view_of(from.getCertificate()));
  if (!final) return malformed(final.error());
  to.final = std::move(*final);
  return {};
}

}  // namespace

refusal refusal_of(const fetch_error& failed) {
  const auto reason = [&] {
    switch (failed.kind) {
      case fetch_failure::too_large:
        return distrust::too_large;
      case fetch_failure::refused:
        return distrust::declined;
      case fetch_failure::not_believed:
        return distrust::not_itself;
      case fetch_failure::other_version:
        return distrust::other_version;
      case fetch_failure::silent:
        break;
    }
    return distrust::silent;
  }();
  return {reason, shown(failed.why), std::nullopt};
}

expected<genesis, refusal> read_genesis(const fetched& from) {
  if (!from) return not_fetched(from.error());
  if (from->size() > max_genesis_bytes) return not_fetched(fetch_failure::too_large);
  auto read = decode<genesis>(*from);
  if (!read) return malformed(read.error());
  return std::move(*read);
}

expected<std::vector<epoch_proof>, refusal> read_epoch_proofs(const fetched& from) {
  const auto read = answer_of<schema::EpochProofs>(from);
  if (!read) return make_unexpected(read.error());
  std::vector<epoch_proof> proofs;
  for (const auto& data : read->root().getProofs()) {
    auto proof = decode<epoch_proof>(view_of(data));
    if (!proof) return malformed(proof.error());
    proofs.push_back(std::move(*proof));
  }
  if (proofs.empty()) return malformed("there is no proof in the answer");
  return proofs;
}

expected<answered_rows, refusal> read_rows(const fetched& from) {
  const auto read = answer_of<schema::ProvenRows>(from);
  if (!read) return make_unexpected(read.error());
  const auto root = read->root();
  answered_rows answer;
  if (auto no = read_finality(root.getFinality(), answer); !no) {
    return make_unexpected(std::move(no.error()));
  }
  answer.more = root.getMore();
  for (const auto& row : root.getRows()) {
    auto proof = decode<state_proof>(view_of(row.getProof()));
    if (!proof) return malformed(proof.error());
    const auto key = view_of(row.getKey()), value = view_of(row.getValue());
    if (!row.getPresent() && !value.empty()) return malformed("an absent row has a value");
    auto& entry = answer.rows.emplace_back();
    entry.key.assign(key.begin(), key.end());
    if (row.getPresent()) entry.value.emplace(value.begin(), value.end());
    entry.proof = std::move(*proof);
  }
  return answer;
}

}  // namespace soma::gateway_client
