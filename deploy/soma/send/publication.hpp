// What a publication must not lose: a model's stake is slashed unless its key, salt and embedding
// are revealed in the epoch after its commitment. All of that, and the signed commitment itself,
// lies in one file of the home, mode 0600, on the disk before the commitment is sent; so the same
// command, given again after a kill at any moment, finds where it stands on the chain and goes on.
// What must hold: one key and IV for one content only, and one commitment for one file.
#pragma once

#include <filesystem>
#include <optional>

#include "deploy/soma/shell/failure.hpp"
#include "messages/crypto/random.hpp"
#include "messages/values/transactions.hpp"

namespace soma::cli {

struct publication {
  chain_id chain;
  address owner;
  std::optional<model_id> update_of;  // the model that gets a new version; absent for a new model
  weights_hash weights;
  hash256 salt;
  cipher_key key{};
  cipher_iv iv{};
  std::vector<float> embedding;
  shannons stake;
  std::uint32_t commission_bps = 0;
  // Of the commitment, once one was signed.
  std::optional<signed_transaction> commit;
  epoch_number commit_expiry;
  std::uint64_t commit_nonce = 0;
  bool published = false;

  /// Without the blob's root, which follows from the encrypted weights.
  [[nodiscard]] tx::commit_model commitment(std::uint64_t size_bytes, const blob_id& root) const;
  [[nodiscard]] tx::reveal_model reveal(const model_id& model) const;
  /// Encrypts a plain weights file, or decrypts it: the same operation.
  void cipher(bytes& file) const;
};

/// A fresh key, IV and salt.
[[nodiscard]] publication new_publication(crypto::random_source& random);

/// The file of one publication, held by one process at a time.
class publication_file {
 public:
  /// Names the file by chain, owner, weights and model. Refuses while another process holds it.
  [[nodiscard]] static expected<publication_file, failure> open(
      const std::filesystem::path& home, const chain_id& chain, const address& owner,
      const weights_hash& weights, const std::optional<model_id>& update_of);
  publication_file(publication_file&& other) noexcept;
  publication_file& operator=(publication_file&&) = delete;
  ~publication_file();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// What an earlier run left; nothing when there was none.
  [[nodiscard]] expected<std::optional<publication>, failure> read() const;
  /// On the disk when it returns.
  [[nodiscard]] outcome write(const publication& content) const;
  /// Puts the file aside, so that the next run begins anew: its name plus `suffix`.
  [[nodiscard]] outcome put_aside(const std::string& suffix) const;

 private:
  publication_file(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::filesystem::path path_;
  int lock_;
};

}  // namespace soma::cli
