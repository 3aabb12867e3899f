#include "deploy/soma/send/publication.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "deploy/soma/shell/config.hpp"
#include "deploy/soma/shell/options.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/signing/signing.hpp"
#include "storage/files/durable.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

bytes float_bits(const std::vector<float>& values) {
  bytes out;
  for (const auto value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8)
      out.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
  return out;
}

std::vector<float> floats_of_bits(byte_view data) {
  std::vector<float> out;
  for (std::size_t at = 0; at + 4 <= data.size(); at += 4) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 4; ++i) bits |= std::uint32_t{data[at + i]} << (8 * i);
    out.push_back(std::bit_cast<float>(bits));
  }
  return out;
}

json to_json(const publication& p) {
  auto out = json::of({{"chain", p.chain.text()},
                       {"owner", p.owner.text()},
                       {"weights", p.weights.text()},
                       {"salt", p.salt.text()},
                       {"key", to_hex(p.key)},
                       {"iv", to_hex(p.iv)},
                       {"embedding", to_hex(float_bits(p.embedding))},
                       {"stake_shannons", p.stake.value},
                       {"commission_bps", p.commission_bps},
                       {"published", p.published}});
  if (p.update_of) out.set("update_of", p.update_of->text());
  if (p.commit) {
    out.set("commit_body", to_hex(p.commit->body));
    out.set("commit_signature", to_hex(p.commit->by_sender));
    out.set("commit_expiry", p.commit_expiry.value);
    out.set("commit_nonce", p.commit_nonce);
  }
  return out;
}

/// The name of the file in which a publication is stored.
std::string file_name_of(const chain_id& chain, const address& owner, const weights_hash& weights,
                         const std::optional<model_id>& update_of) {
  const auto part = [](byte_view id) { return to_hex(id.first(8)); };
  auto name = part(chain.view()) + "-" + part(owner.view()) + "-" + part(weights.view());
  if (update_of) name.append(1, '-').append(part(update_of->view()));
  return name + ".toml";
}

/// Reads members by name. The first one that is missing or wrong makes the whole document
/// unreadable, and `damage` says which one it is.
struct member_reader {
  const json& document;
  std::string damage{};
  std::vector<std::string> known{};

  const json* take(const char* name) {
    known.emplace_back(name);
    return document.find(name);
  }
  void refuse(const char* name, const json* found, const std::string& why) {
    if (!damage.empty()) return;
    damage = found == nullptr ? std::string(name) + " is missing"
                              : line_of(*found) + name + " is not " + why;
  }
  bytes data(const char* name) {
    const auto* found = take(name);
    const bool is_text = found != nullptr && found->as_string() != nullptr;
    const auto read = is_text ? from_hex(*found->as_string()) : std::nullopt;
    if (!read) refuse(name, found, "a text in hexadecimal");
    return read.value_or(bytes{});
  }
  template <std::size_t N>
  void read(const char* name, std::array<std::uint8_t, N>& into) {
    const auto content = data(name);
    if (content.size() == N) return void(std::copy(content.begin(), content.end(), into.begin()));
    refuse(name, document.find(name), std::to_string(N) + " bytes long");
  }
  std::uint64_t number(const char* name, std::uint64_t most = ~std::uint64_t{0}) {
    const auto* found = take(name);
    const auto [is_number, value] =
        found == nullptr ? std::pair{false, std::uint64_t{0}} : found->unsigned_integer();
    if (!is_number || value > most) {
      refuse(name, found, "a whole number up to " + std::to_string(most));
    }
    return value;
  }
  bool flag(const char* name) {
    const auto* found = take(name);
    if (found != nullptr && found->as_bool() != nullptr) return *found->as_bool();
    refuse(name, found, "true or false");
    return false;
  }
  void refuse_unknown() {
    for (const auto& [name, value] : *document.as_object()) {
      if (!damage.empty() || std::ranges::find(known, name) != known.end()) continue;
      damage = line_of(value) + "there is no such name as " + name + nearest_of(name, known);
    }
  }
};

/// The publication, or what is wrong with the document.
expected<publication, std::string> from_json(const json& document) {
  publication p;
  member_reader in{document};
  in.read("chain", p.chain.value);
  in.read("owner", p.owner.value);
  in.read("weights", p.weights.value);
  in.read("salt", p.salt.value);
  in.read("key", p.key);
  in.read("iv", p.iv);
  const auto embedding = in.data("embedding");
  p.embedding = floats_of_bits(embedding);
  const bool is_finite = std::ranges::all_of(p.embedding, [](float x) { return std::isfinite(x); });
  if (embedding.empty() || embedding.size() % 4 != 0 || !is_finite) {
    in.refuse("embedding", document.find("embedding"), "a row of finite binary32 numbers");
  }
  p.stake.value = in.number("stake_shannons", supply_cap.value);
  p.commission_bps = static_cast<std::uint32_t>(in.number("commission_bps", 10'000));
  p.published = in.flag("published");
  // The signed commitment and what belongs to it are there together or not at all.
  for (const auto* part : {"commit_body", "commit_signature", "commit_expiry", "commit_nonce"}) {
    if (document.find(part) != nullptr || p.published) p.commit.emplace();
  }
  if (document.find("update_of") != nullptr) in.read("update_of", p.update_of.emplace().value);
  if (p.commit) {
    p.commit->body = in.data("commit_body");
    in.read("commit_signature", p.commit->by_sender);
    p.commit_expiry.value = in.number("commit_expiry");
    p.commit_nonce = in.number("commit_nonce");
  }
  in.refuse_unknown();
  if (!in.damage.empty()) return make_unexpected(in.damage);
  return p;
}

}  // namespace

tx::commit_model publication::commitment(std::uint64_t size_bytes, const blob_id& root) const {
  tx::commit_model out;
  out.model = update_of;
  out.commitment = signing::model_commitment(weights, key, embedding, salt, owner);
  out.manifest.size_bytes = size_bytes;
  out.manifest.chunk_bytes = crypto::blob_chunk_bytes;
  out.manifest.root = root;
  out.manifest.iv = iv;
  out.stake = stake;
  out.commission_bps = commission_bps;
  return out;
}

tx::reveal_model publication::reveal(const model_id& model) const {
  tx::reveal_model out;
  out.model = model;
  out.weights = weights;
  out.key = key;
  out.embedding = embedding;
  out.salt = salt;
  return out;
}

void publication::cipher(bytes& file) const {
  crypto::aes_ctr(key, iv).apply(0, file);
}

publication new_publication(crypto::random_source& random) {
  publication out;
  out.salt = random.next_id<hash256>();
  random.fill(out.key);
  random.fill(out.iv);
  return out;
}

expected<publication_file, failure> publication_file::open(
    const fs::path& home, const chain_id& chain, const address& owner, const weights_hash& weights,
    const std::optional<model_id>& update_of) {
  auto path = home / "publications" / file_name_of(chain, owner, weights, update_of);
  try {
    files::create_directories_durably(path.parent_path());
  } catch (const std::exception& error) {
    return failed("cannot make " + path.parent_path().string(), reason_of(error),
                  "choose another --home");
  }
  auto lock =
      folder_lock::take(path.string() + ".lock",
                        {"cannot publish these weights twice at once",
                         "another process uses " + path.string(), "wait until it has finished"});
  if (!lock) return make_unexpected(lock.error());
  return publication_file(std::move(path), std::move(*lock));
}

expected<std::optional<publication>, failure> publication_file::read() const {
  // Only a file that is not there counts as none: one that cannot be read may hold the keys of a
  // commitment that is on the chain.
  std::error_code error;
  if (fs::symlink_status(path_, error).type() == fs::file_type::not_found) {
    return std::optional<publication>{};
  }
  const auto document = read_config(path_);
  auto content = document ? from_json(*document) : make_unexpected(document.error().why);
  if (!content) {
    return failed(
        "cannot read " + path_.string(), content.error(),
        "it holds what is needed to reveal a commitment: restore it from a copy; without a "
        "copy, move it away and begin anew");
  }
  const auto& p = *content;
  if (file_name_of(p.chain, p.owner, p.weights, p.update_of) != path_.filename()) {
    return failed("cannot read " + path_.string(), "it belongs to another publication",
                  "give the file its own name back, so that both can be finished");
  }
  return std::move(*content);
}

outcome publication_file::write(const publication& content) const {
  const auto text =
      "# Secret until it is revealed. This file is needed to finish the publication.\n" +
      to_toml(to_json(content));
  return write_named_file(
      path_, byte_view(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), true,
      0600);
}

outcome publication_file::put_aside(const std::string& suffix) const {
  std::error_code error;
  fs::rename(path_, path_.string() + suffix, error);
  if (error) return failed("cannot rename " + path_.string(), error.message());
  files::sync_directory(path_.parent_path());
  return {};
}

}  // namespace soma::cli
