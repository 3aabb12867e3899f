#include "actors/blob_keeper/disk_shelf.hpp"

#include "messages/values/assert.hpp"

namespace soma::blob_keeper {
namespace {

/// A reader holds the list of its blob's chunks, up to 2 MiB.
constexpr std::size_t max_readers = 8;

}  // namespace

disk_shelf::disk_shelf(std::shared_ptr<blobs::blob_store> disk,
                       std::function<void(const std::string&)> on_failure,
                       std::uint64_t max_data_bytes)
    : disk_(std::move(disk)), on_failure_(std::move(on_failure)), max_data_bytes_(max_data_bytes) {}

void disk_shelf::told(const std::string& why) const {
  if (is_failing_ == !why.empty()) return;
  is_failing_ = !why.empty();
  on_failure_(is_failing_ ? "blobs of other homes cannot be kept: " + why
                          : "blobs of other homes can be kept again");
}

template <class Result, class Work>
Result disk_shelf::unless_failing(Result otherwise, Work&& work) const {
  try {
    return work();
  } catch (const blobs::blob_failure& failure) {
    told(failure.what());
    return otherwise;
  }
}

std::optional<std::uint64_t> disk_shelf::size_of_complete(const blob_id& blob) const {
  return unless_failing(std::optional<std::uint64_t>{}, [&] { return disk_->stated_size(blob); });
}

std::optional<bytes> disk_shelf::part(const peer::blob_part& which) {
  using result = std::optional<bytes>;
  return unless_failing(result{}, [&]() -> result {
    auto found = readers_.find(which.blob);
    if (found == readers_.end()) {
      auto opened = disk_->open(which.blob);
      if (!opened) return std::nullopt;
      if (readers_.size() >= max_readers) readers_.erase(readers_.begin());
      found = readers_.emplace(which.blob, std::move(*opened)).first;
    }
    if (!which.of_list) {
      auto chunk = found->second.chunk(which.number);
      if (chunk) return std::move(*chunk);
      readers_.erase(found);  // it may be damaged, and then another file takes its place
      return std::nullopt;
    }
    const auto list = found->second.chunk_hashes();
    const auto first = std::uint64_t{which.number} * list_page_hashes;
    if (first >= list.size()) return std::nullopt;
    bytes page;
    for (const auto& hash :
         list.subspan(first).first(std::min<std::size_t>(list.size() - first, list_page_hashes))) {
      page.insert(page.end(), hash.value.begin(), hash.value.end());
    }
    return page;
  });
}

std::optional<blob_exchange::begun_blob> disk_shelf::begin(std::uint64_t size_bytes,
                                                           std::span<const hash256> list) {
  using result = std::optional<blob_exchange::begun_blob>;
  return unless_failing(result{}, [&]() -> result {
    blobs::put_terms terms;
    terms.is_piecemeal = true;
    if (size_bytes > max_data_bytes_) terms.leaves_free_bytes = disk_->quota_bytes() / 4;
    auto writer = disk_->begin_put(size_bytes, list, terms);
    if (!writer) {
      if (writer.error() == blobs::blob_refusal::quota_exceeded) {
        told(std::string(blobs::to_text(writer.error())));
      }
      return std::nullopt;
    }
    blob_exchange::begun_blob begun{writer->missing(), writer->unread()};
    writers_.insert_or_assign(writer->id(), std::move(*writer));
    return begun;
  });
}

bool disk_shelf::read_again(const blob_id& blob, std::uint32_t number) {
  return unless_failing(false, [&] { return writers_.at(blob).read_again(number); });
}

blob_exchange::put_result disk_shelf::put(const blob_id& blob, std::uint32_t number,
                                          byte_view data) {
  using enum blob_exchange::put_result;
  return unless_failing(failed, [&] {
    const auto put = writers_.at(blob).put_chunk(number, data);
    if (put) return kept;
    if (put.error() != blobs::blob_refusal::quota_exceeded) return wrong;
    told(std::string(blobs::to_text(put.error())));
    return failed;
  });
}

bool disk_shelf::finish(const blob_id& blob) {
  const auto found = writers_.find(blob);
  SOMA_ASSERT(found != writers_.end(), "the blob was begun");
  const bool is_whole = unless_failing(false, [&] { return found->second.finish().has_value(); });
  writers_.erase(found);
  if (is_whole) told("");
  return is_whole;
}

void disk_shelf::put_aside(const blob_id& blob) {
  const auto erased = writers_.erase(blob);
  SOMA_ASSERT(erased == 1, "the blob was begun");
}

}  // namespace soma::blob_keeper
