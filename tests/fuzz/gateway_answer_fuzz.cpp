#include <algorithm>

#include "actors/documents/explanation.hpp"
#include "actors/gateway_client/blob_pull.hpp"
#include "actors/gateway_client/gateway_answer.hpp"
#include "actors/public_answers/explanation.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/values/utf8.hpp"
#include "messages/wire/refusals.hpp"
#include "tests/fuzz/harness.hpp"
#include "tests/messages/codec/consensus_samples.hpp"

namespace soma::fuzz {
namespace {

using gateway_client::distrust;
using gateway_client::fetched;
using gateway_client::refusal;

/// Why an answer is not believed goes to a person's terminal.
std::string check_refusal(const refusal& why) {
  for (const unsigned char c : why.detail) {
    if (c < ' ' || c > '~') return "a refusal that moves the cursor";
  }
  return why.detail.size() > 256 ? "a refusal that fills the screen" : "";
}

std::string check_rows(byte_view body) {
  const auto read = gateway_client::read_rows(fetched(bytes(body.begin(), body.end())));
  if (!read) return check_refusal(read.error());
  if (read->headers.empty()) return "rows of no block";
  for (const auto& header : read->headers) {
    if (encode(header).empty()) return "a header without bytes";
  }
  for (const auto& row : read->rows) {
    const auto again = decode<state_proof>(encode(row.proof));
    if (!again) return "a proof that is none";
  }
  return "";
}

std::string check_genesis(byte_view body) {
  const auto read = gateway_client::read_genesis(fetched(bytes(body.begin(), body.end())));
  if (!read) return check_refusal(read.error());
  return std::ranges::equal(encode(*read), body) ? "" : "a genesis of other bytes";
}

std::string check_epochs(byte_view body) {
  const auto read = gateway_client::read_epoch_proofs(fetched(bytes(body.begin(), body.end())));
  if (!read) return check_refusal(read.error());
  return read->empty() ? "an answer without a proof" : "";
}

/// The first 32 bytes are the name of the blob. Zeros stand for the name that fits.
std::string check_outline(byte_view body) {
  if (body.size() < 32) return "";
  blob_id blob;
  std::ranges::copy(body.first(32), blob.value.begin());
  body = body.subspan(32);
  if (blob == blob_id{}) {
    if (const auto told = message<schema::BlobDescription>::parse(body)) {
      const auto all = view_of(told->root().getChunkHashes());
      std::vector<hash256> hashes(all.size() / 32);
      for (std::size_t i = 0; i < hashes.size(); ++i) {
        std::ranges::copy(all.subspan(32 * i, 32), hashes[i].value.begin());
      }
      const auto size = told->root().getSizeBytes();
      if (crypto::chunk_count(size) == hashes.size()) blob = crypto::blob_root(size, hashes);
    }
  }
  const auto read = gateway_client::read_outline(fetched(bytes(body.begin(), body.end())), blob);
  if (!read) return check_refusal(read.error());
  if (read->chunk_hashes.size() != crypto::chunk_count(read->size_bytes)) {
    return "an outline of another size";
  }
  return crypto::blob_root(read->size_bytes, read->chunk_hashes) == blob ? "" : "another blob";
}

std::string check_explanation(byte_view body) {
  const auto read =
      gateway_client::read_plain<schema::Explanation>(fetched(bytes(body.begin(), body.end())));
  if (!read) return check_refusal(read.error());
  if (is_refused(read->root().getRefusal())) return "";
  const auto told = public_answers::read_explanation(read->root());
  if (!public_answers::is_sound(told)) return "";
  const auto text = documents::explanation_json(told).text();
  if (!is_utf8(text)) return "a document that is no text";
  const auto document = json::parse(text, {std::size_t{1} << 26U, 32});
  return document ? "" : "a document that nobody can read";
}

template <class Answer>
std::string check_plain(byte_view body) {
  const auto read = gateway_client::read_plain<Answer>(fetched(bytes(body.begin(), body.end())));
  if (!read) return check_refusal(read.error());
  return std::ranges::equal(read->bytes(), body) ? "" : "an answer that changes";
}

constexpr std::string (*checks[])(byte_view) = {
    check_rows,
    check_genesis,
    check_epochs,
    check_outline,
    check_explanation,
    check_plain<schema::TransactionStatus>,
    check_plain<schema::EventPage>,
    check_plain<schema::OpenTargets>,
    check_plain<schema::PutProgress>,
    check_plain<schema::Holders>,
    check_plain<schema::ChainStatus>,
};

message<schema::ProvenRows> some_rows() {
  const auto header = header_layout(block_header{});
  const auto final = encode(test::sample<certificate>(3));
  state_proof proof;
  const auto proof_bytes = encode(proof);
  const bytes key(33, 2), value(20, 3);
  return message<schema::ProvenRows>::build([&](auto out) {
    out.initFinality().setHeaders(data_of(byte_view(header)));
    out.getFinality().setCertificate(data_of(byte_view(final)));
    auto list = out.initRows(2);
    list[0].setKey(data_of(byte_view(key)));
    list[0].setPresent(true);
    list[0].setValue(data_of(byte_view(value)));
    list[0].setProof(data_of(byte_view(proof_bytes)));
    list[1].setKey(data_of(byte_view(value)));
    list[1].setProof(data_of(byte_view(proof_bytes)));
  });
}

message<schema::Explanation> some_explanation(bool repeats) {
  explain::explanation what;
  what.subject = "target";
  what.id = "0x1f3a90c2";
  what.summary = "It is open.";
  what.facts.push_back({"height", std::uint64_t{7}});
  if (repeats) what.facts.push_back(what.facts.front());
  explain::passage part;
  part.name = "claims";
  part.title = "Claims";
  part.steps.emplace_back();
  part.steps.back().text = "nobody has claimed it";
  what.passages.push_back(part);
  what.next = part.steps;
  return public_answers::to_message(what);
}

}  // namespace

std::string check_gateway_answer(byte_view input) {
  if (input.empty()) return "";
  return checks[input.front() % std::size(checks)](input.subspan(1));
}

std::map<std::string, bytes> gateway_answer_seeds() {
  std::map<std::string, bytes> seeds;
  const auto add = [&](const std::string& name, std::uint8_t kind, byte_view body) {
    auto& seed = seeds[name];
    seed.reserve(1 + body.size());
    seed.push_back(kind);
    seed.insert(seed.end(), body.begin(), body.end());
  };
  const auto rows = some_rows();
  const auto told = some_explanation(false), repeated = some_explanation(true);
  add("rows", 0, rows.bytes());
  add("rows_as_explanation", 4, rows.bytes());
  const auto refused = message<schema::ProvenRows>::build([](auto out) {
    out.initRefusal().setLedger(schema::LedgerRefusal::NOT_FINAL_YET);
    out.getRefusal().setWhy("\x1b[2J later");
  });
  add("refused", 0, refused.bytes());
  genesis first;
  first.name = "fuzz";
  add("genesis", 1, encode(first));
  const auto proof = encode(test::sample<epoch_proof>(4));
  const auto proofs = message<schema::EpochProofs>::build(
      [&](auto out) { out.initProofs(1).set(0, data_of(byte_view(proof))); });
  add("epochs", 2, proofs.bytes());
  const bytes hashes(64, 5);
  const auto outline = message<schema::BlobDescription>::build([&](auto out) {
    out.setSizeBytes(1'500'000);
    out.setChunkHashes(data_of(byte_view(hashes)));
  });
  bytes named(32);
  named.insert(named.end(), outline.bytes().begin(), outline.bytes().end());
  add("outline", 3, named);
  named.front() = 1;
  add("other_blob", 3, named);
  add("explanation", 4, told.bytes());
  add("repeated_names", 4, repeated.bytes());
  const auto events = message<schema::EventPage>::build([&](auto out) {
    out.setNextHeight(5);
    out.initEvents(1)[0].setHeight(4);
  });
  add("events", 6, events.bytes());
  for (std::uint8_t kind = 5; kind < std::size(checks); ++kind) {
    add("empty_" + std::to_string(kind), kind, message<schema::TransactionStatus>{}.bytes());
  }
  add("no_bytes", 0, {});
  return seeds;
}

bytes change_gateway_answer(bytes input, noise::noise_generator& noise) {
  if (input.empty()) input.resize(1);
  const auto kind = noise.below(32) == 0 ? static_cast<std::uint8_t>(noise.below(16)) : input[0];
  const auto keeps = kind % std::size(checks) == 3 ? std::size_t{33} : std::size_t{1};
  if (input.size() < keeps) input.resize(keeps);
  const bytes head(input.begin() + 1, input.begin() + static_cast<std::ptrdiff_t>(keeps));
  auto body = change_peer_message(
      bytes(input.begin() + static_cast<std::ptrdiff_t>(keeps), input.end()), noise);
  bytes out;
  out.reserve(keeps + body.size());
  out.push_back(kind);
  out.insert(out.end(), head.begin(), head.end());
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

}  // namespace soma::fuzz
