#include "actors/state_sync/snapshot.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "actors/ledger/ledger.hpp"
#include "actors/state_tree/state_hashes.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "storage/files/durable.hpp"
#include "storage/tables/ledger_loader.hpp"

namespace soma::state_sync {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view unfinished = ".new";
/// Chunks with so many bytes of rows are filled and written together; each such group costs one
/// scan of all rows.
constexpr std::uint64_t bytes_a_scan = std::uint64_t{64} << 20;

fs::path chunk_path(const fs::path& folder, std::uint32_t number) {
  return folder / ("chunk-" + std::to_string(number));
}

std::optional<bytes> read_chunk_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return std::nullopt;
  const auto size = static_cast<std::size_t>(in.tellg());
  if (size > max_chunk_bytes) return std::nullopt;
  bytes data(size);
  in.seekg(0);
  in.read(reinterpret_cast<char*>(data.data()), static_cast<std::streamsize>(size));
  if (!in) return std::nullopt;
  return data;
}

std::optional<std::uint64_t> number_of(const std::string& name) {
  std::uint64_t number = 0;
  const auto* end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::uint64_t first_bits(const state_range& range, std::uint64_t at) {
  return at << (state_tree::deepest_range - range.depth);
}

/// The chunks of these ranges, filled by one scan of all rows.
std::vector<snapshot_chunk> filled(const tables::ledger_view& view, const state_tree::tree& tree,
                                   std::span<const state_range> ranges) {
  struct placed {
    hash256 hash;
    snapshot_chunk::row row;
  };
  std::vector<std::vector<placed>> rows(ranges.size());
  const auto begin = first_bits(ranges.front(), ranges.front().first);
  view.scan([&](byte_view key, byte_view value) {
    const auto hash = state_tree::key_hash(key);
    const auto bits = state_tree::prefix_of(hash, state_tree::deepest_range);
    if (bits < begin) return true;
    const auto at = std::ranges::partition_point(
        ranges, [&](const state_range& r) { return first_bits(r, r.end) <= bits; });
    if (at == ranges.end()) return true;
    rows[static_cast<std::size_t>(at - ranges.begin())].push_back(
        {hash, {bytes(key.begin(), key.end()), bytes(value.begin(), value.end())}});
    return true;
  });
  std::vector<snapshot_chunk> chunks;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    std::ranges::sort(rows[i], {}, &placed::hash);
    snapshot_chunk chunk{ranges[i], state_tree::prove_chunk(tree, ranges[i]), {}};
    for (auto& one : rows[i]) chunk.rows.push_back(std::move(one.row));
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

}  // namespace

// ---- the serving side

snapshot_folder::snapshot_folder(fs::path folder, bool only_reads) : folder_(std::move(folder)) {
  files::create_directories_durably(folder_);
  look();
  if (!only_reads) tidy();
}

void snapshot_folder::look() {
  height_.reset();
  chunks_ = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const auto height = number_of(entry.path().filename().string());
    if (height) height_ = std::max(height_.value_or(block_height{}), block_height{*height});
  }
  if (!height_) return;
  const auto latest = folder_ / std::to_string(height_->value);
  while (fs::exists(chunk_path(latest, chunks_))) ++chunks_;
}

/// Removes all snapshots but the latest. Files that this class did not write stay.
void snapshot_folder::tidy() {
  std::vector<fs::path> of_no_use;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const bool is_unfinished = entry.path().extension() == unfinished;
    const auto name = is_unfinished ? entry.path().stem() : entry.path().filename();
    const auto height = number_of(name.string());
    if (!height) continue;
    if (is_unfinished || block_height{*height} != height_) of_no_use.push_back(entry.path());
  }
  for (const auto& path : of_no_use) fs::remove_all(path);
}

std::optional<bytes> snapshot_folder::chunk(std::uint32_t number) const {
  if (number >= chunks_) return std::nullopt;
  return read_chunk_file(chunk_path(folder_ / std::to_string(height_->value), number));
}

void snapshot_folder::write(const tables::ledger_view& view, const state_tree::tree& tree,
                            std::uint64_t most_row_bytes) {
  const auto chain = view.chain().value();
  if (height_ && chain.height <= *height_) return;
  const auto name = std::to_string(chain.height.value);
  const auto made = folder_ / (name + std::string(unfinished));
  fs::remove_all(made);
  files::create_directories_durably(made);
  const auto ranges = tree.ranges(most_row_bytes);
  std::uint32_t number = 0;
  for (std::size_t from = 0, to = 0; from < ranges.size(); from = to) {
    for (std::uint64_t held = 0; to < ranges.size() && (to == from || held < bytes_a_scan); ++to) {
      held += tree.totals_of(ranges[to]).bytes;
    }
    const auto part = std::span(ranges).subspan(from, to - from);
    for (const auto& chunk : filled(view, tree, part)) {
      files::write_durably(chunk_path(made, number++), encode_chunk(chunk));
    }
  }
  files::sync_directory(made);
  fs::rename(made, folder_ / name);
  files::sync_directory(folder_);
  look();
  tidy();
}

// ---- the receiving side

snapshot_receiver::snapshot_receiver(fs::path staging, block_header closing)
    : staging_(std::move(staging)), closing_(std::move(closing)) {
  files::create_directories_durably(staging_);
  // The chunks in the folder may be torn or of another snapshot, so each has to pass the check.
  while (!complete()) {
    const auto kept = read_chunk_file(path_of(next_));
    if (!kept) break;
    const auto chunk = decode_chunk(*kept);
    if (!chunk || !position_.step(*chunk, closing_.state_root)) break;
    ++next_;
  }
}

fs::path snapshot_receiver::path_of(std::uint32_t number) const {
  return chunk_path(staging_, number);
}

expected<void, chunk_refusal> snapshot_receiver::take(byte_view data) {
  const auto chunk = decode_chunk(data);
  if (!chunk) return make_unexpected(chunk.error());
  auto behind = position_;
  if (auto passed = behind.step(*chunk, closing_.state_root); !passed) return passed;
  files::write_durably(path_of(next_), data);
  position_ = behind;
  ++next_;
  return {};
}

expected<state_tree::tree, std::string> snapshot_receiver::finish(
    const fs::path& ledger, const soma::genesis& genesis, const epoch_ends& ends,
    tables::ledger_options options) const {
  SOMA_ASSERT(complete(), "a ledger is made of all its chunks");
  const auto last = ends.find(closing_.epoch);
  SOMA_ASSERT(last != ends.end() && last->second.headers.front() == closing_,
              "the snapshot is of the end of an epoch that is proven");
  SOMA_ASSERT(closing_.epoch.value == 0 || ends.contains({closing_.epoch.value - 1}),
              "who leads next follows from the epoch before, too");
  auto made = ledger;
  made += unfinished;
  fs::remove_all(made);
  state_tree::tree tree;
  {
    tables::ledger_store store(made, options);
    tables::ledger_loader loader(store);
    std::optional<bytes> chain;
    for (std::uint32_t i = 0; i < next_; ++i) {
      const auto data = read_chunk_file(path_of(i));
      auto chunk = data ? decode_chunk(*data) : make_unexpected(chunk_refusal::malformed);
      if (!chunk) return make_unexpected("a chunk that was here is damaged");
      for (auto& row : chunk->rows) {
        if (row.key == chain_key()) {
          chain = std::move(row.value);
        } else {
          loader.put(row.key, row.value);
        }
      }
    }
    const auto stands = chain ? decode<chain_row>(*chain) : make_unexpected(parse_refusal{});
    if (!stands || stands->height != closing_.height || stands->epoch != closing_.epoch.next()) {
      return make_unexpected("the ledger does not stand where its header says");
    }
    loader.finish(encode(genesis), *chain, ends);
    state_tree::tree::builder rows;
    store.scan([&](byte_view key, byte_view value) {
      rows.add(key, value);
      return true;
    });
    tree = std::move(rows).finish();
    if (tree.root() != closing_.state_root) {
      return make_unexpected("the rows have another state root than the header");
    }
  }
  files::replace_directory(made, ledger);
  fs::remove_all(made);
  fs::remove_all(staging_);
  return tree;
}

}  // namespace soma::state_sync
