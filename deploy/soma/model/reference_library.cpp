#include "deploy/soma/model/reference_library.hpp"

#include <dlfcn.h>

#include <array>
#include <filesystem>

#include "deploy/soma/version.hpp"

namespace soma::cli {
namespace {

constexpr auto file_name = "libsoma_reference.so";
constexpr auto remedy =
    "install libtorch-dev and build again (deploy/setup, deploy/test), or leave out the comparison";

expected<const reference_library*, failure> cannot_load(const std::string& why) {
  return failed("cannot load libtorch", why, remedy);
}

}  // namespace

expected<const reference_library*, failure> load_reference(std::uint32_t threads) {
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  // In the folder of the build it lies beside the program; installed, programs and libraries have
  // folders of their own.
  const std::array places{folder / file_name, folder.parent_path() / "lib/soma" / file_name};
  const auto* found = &places[0];
  while (found != places.end() && !std::filesystem::exists(*found, error)) ++found;
  if (found == places.end()) {
    return cannot_load("this build has no " + std::string(file_name) + " beside the program");
  }
  void* const library = ::dlopen(found->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return cannot_load(::dlerror());
  auto* const entry = reinterpret_cast<reference_entry*>(::dlsym(library, reference_entry_name));
  const auto* const reference = entry == nullptr ? nullptr : entry(version.data(), threads);
  if (reference == nullptr) {
    return cannot_load(found->string() + " is of another version than the program");
  }
  return reference;
}

}  // namespace soma::cli
