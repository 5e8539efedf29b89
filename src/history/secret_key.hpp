// Which names are those of secrets, whatever stands under them. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace actionhist {

// A name in small letters, without what separates its words.
std::string plain(std::string_view name);

// DB_PASSWORD, X-Api-Key, githubToken; not "imagePullSecret", which says where one is.
bool secret_key(std::string_view key);

// Under a name that ends in "secret" or "token": what says where it is, as a volume or a projection does.
bool refers_to_secret(std::string_view key);

}  // namespace actionhist
