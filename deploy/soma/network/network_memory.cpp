#include "deploy/soma/network/network_memory.hpp"

#include "actors/gateway_client/kept_trust.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "storage/files/durable.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_known_bytes = 256;
/// A committee has a few hundred seats of about 200 bytes.
constexpr std::uint64_t max_trust_bytes = std::uint64_t{4} << 20;

bool is_missing(const fs::path& file) {
  std::error_code ignored;
  return fs::symlink_status(file, ignored).type() == fs::file_type::not_found;
}

}  // namespace

expected<std::optional<chain_id>, failure> network_memory::known() const {
  const auto file = known_file();
  if (is_missing(file)) return std::optional<chain_id>{};
  const auto content = read_named_file(file, max_known_bytes, "the known network");
  if (!content) return make_unexpected(content.error());
  std::string text(content->begin(), content->end());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto network = chain_id::parse(text);
  if (!network) {
    return failed("cannot read " + file.string(), "it does not hold a chain id",
                  "write the chain id of your network into it, or remove it to ask the gateway");
  }
  return std::optional(*network);
}

outcome network_memory::write(const fs::path& file, byte_view content) const {
  try {
    files::create_directories_durably(folder_);
  } catch (const std::exception& error) {
    return failed("cannot make " + folder_.string(), reason_of(error), "choose another --home");
  }
  return write_named_file(file, content, true, 0600);
}

outcome network_memory::remember(const chain_id& network) const {
  const auto line = network.text() + "\n";
  return write(known_file(), {reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
}

fs::path network_memory::trust_file(const chain_id& network) const {
  return folder_ / (to_hex(network.view()) + ".trust");
}

std::optional<bytes> network_memory::trust(const chain_id& network) const {
  const auto file = trust_file(network);
  if (is_missing(file)) return std::nullopt;
  auto content = read_named_file(file, max_trust_bytes, "the kept trust");
  if (content) return std::move(*content);
  note_line(one_line(content.error()) + "; the network is followed from its genesis");
  return std::nullopt;
}

outcome network_memory::keep_trust(const chain_id& network, byte_view kept) const {
  const auto height_of = [&](byte_view content) -> std::optional<block_height> {
    const auto read = gateway_client::decode_kept(content, network);
    if (!read) return std::nullopt;
    return read->proven ? read->proven->height : block_height{};
  };
  const auto file = trust_file(network);
  if (!is_missing(file)) {
    const auto old = read_named_file(file, max_trust_bytes, "the kept trust");
    const auto before = old ? height_of(*old) : std::nullopt;
    // Another command has followed the network further meanwhile.
    if (before && *before > height_of(kept).value_or(block_height{})) return {};
  }
  return write(file, kept);
}

void network_memory::set_trust_aside(const chain_id& network, const std::string& why) const {
  const auto file = trust_file(network);
  auto aside = file;
  aside += ".damaged";
  std::error_code error;
  fs::rename(file, aside, error);
  note_line(file.string() + " is damaged (" + why + "); " +
            (error ? "it will be replaced" : "it is now " + aside.filename().string()) +
            ", and the network is followed from its genesis");
}

std::string fingerprint(const chain_id& network) {
  const auto digits = to_hex(network.view().first(16));
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += 4) {
    text += (at == 0 ? "" : " ") + digits.substr(at, 4);
  }
  return text;
}

}  // namespace soma::cli
