#include "actors/validator/blob_gate.hpp"

#include "messages/codec/model_entry.hpp"

namespace soma::validator {

bool blob_gate::wait(std::span<const wanted> blobs,
                     std::function<void(const std::vector<blob_id>& other_size)> then) const {
  if (!keeper_ || blobs.empty()) return false;
  auto request = message<schema::FetchBlobs>::build([&](auto out) {
    auto list = out.initBlobs(static_cast<unsigned>(blobs.size()));
    for (unsigned i = 0; i < blobs.size(); ++i) {
      list[i].setBlob(data_of(blobs[i].blob));
      list[i].setSizeBytes(blobs[i].size_bytes);
    }
    out.setWithinMs(within_ms_);
  });
  self_->request(keeper_, caf::infinite, std::move(request))
      .then(
          [then](const message<schema::FetchedBlobs>& fetched) {
            std::vector<blob_id> other_size;
            for (const auto& blob : fetched.root().getOtherSize()) {
              other_size.push_back(id_or_zero<blob_id>(blob));
            }
            then(other_size);
          },
          // The keeper is gone, and its supervisor starts this validator again, too. Until then
          // the scorer says what it lacks.
          [then](const caf::error&) { then({}); });
  return true;
}

}  // namespace soma::validator
