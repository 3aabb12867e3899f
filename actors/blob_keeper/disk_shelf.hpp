// The blob store of this home as the exchange sees it (actors/blob_exchange/shelf.hpp).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actors/blob_exchange/shelf.hpp"
#include "storage/blobs/blob_store.hpp"

namespace soma::blob_keeper {

class disk_shelf final : public blob_exchange::shelf {
 public:
  /// `on_failure` gets one line for the operator when the disk begins to fail, and another one when
  /// it works again. Blobs that are larger than data may be are weights; they leave a quarter of
  /// the quota to data.
  disk_shelf(std::shared_ptr<blobs::blob_store> disk,
             std::function<void(const std::string&)> on_failure,
             std::uint64_t max_data_bytes = UINT64_MAX);

  [[nodiscard]] std::optional<std::uint64_t> size_of_complete(const blob_id& blob) const override;
  [[nodiscard]] std::optional<bytes> part(const peer::blob_part& which) override;
  [[nodiscard]] std::optional<blob_exchange::begun_blob> begin(
      std::uint64_t size_bytes, std::span<const hash256> list) override;
  [[nodiscard]] bool read_again(const blob_id& blob, std::uint32_t number) override;
  [[nodiscard]] blob_exchange::put_result put(const blob_id& blob, std::uint32_t number,
                                              byte_view data) override;
  [[nodiscard]] bool finish(const blob_id& blob) override;
  void put_aside(const blob_id& blob) override;

 private:
  /// What `work` returns; `otherwise` when the disk fails.
  template <class Result, class Work>
  Result unless_failing(Result otherwise, Work&& work) const;
  void told(const std::string& why) const;

  std::shared_ptr<blobs::blob_store> disk_;
  std::function<void(const std::string&)> on_failure_;
  std::uint64_t max_data_bytes_;
  mutable bool is_failing_ = false;
  std::map<blob_id, blobs::blob_writer> writers_;
  std::map<blob_id, blobs::blob_reader> readers_;  // a few that were read last
};

}  // namespace soma::blob_keeper
