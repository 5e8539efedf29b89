#include "history/redaction.hpp"

#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

std::string redacted(std::string text) {
  static const Redactor redactor({});
  redactor.redact(text);
  return text;
}

std::string redacted_json(std::string_view text) {
  static const Redactor redactor({});
  Json json = Json::parse(text);
  redactor.redact(json, "json");
  return json.text();
}

}  // namespace

TEST_CASE("secrets in text are taken out and the rest stays", "[redaction]") {
  CHECK(redacted("set password=hunter2! and go") == "set password=[redacted] and go");
  CHECK(redacted("DB_PASSWORD: s3cr3t-x") == "DB_PASSWORD: [redacted]");
  CHECK(redacted("Authorization: Bearer abcdefghijklmnop1234") == "Authorization: Bearer [redacted]");
  CHECK(redacted("postgresql://user:pa55@db.prod/x") == "postgresql://[redacted]@db.prod/x");
  CHECK(redacted("key AKIAIOSFODNN7EXAMPLE leaked") == "key [redacted] leaked");
  CHECK(redacted("ghp_0123456789abcdefghijABCDEFGHIJ") == "[redacted]");
  CHECK(redacted("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nend") ==
        "[redacted]\nend");
  CHECK(redacted("mysql -u root --password hunter2 -e") == "mysql -u root --password [redacted] -e");
  CHECK(redacted("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig-nature") == "[redacted]");
}

TEST_CASE("secrets in text are known in the many ways in which they are written", "[redaction]") {
  const std::pair<const char*, const char*> cases[] = {
      {"PGPASSWORD=hunter2 psql", "PGPASSWORD=[redacted] psql"},
      {"dbPassword: hunter22", "dbPassword: [redacted]"},
      {"accessToken=abcdef123456", "accessToken=[redacted]"},
      {R"(password: "correct horse battery" next)", "password: [redacted] next"},
      {"--password='my pass word' -h db", "--password=[redacted] -h db"},
      {R"(mysql --password "a b c" -h db)", "mysql --password [redacted] -h db"},
      {R"({\"password\":\"hunter2\",\"user\":\"bob\"})", R"({\"password\":[redacted],\"user\":\"bob\"})"},
      {"postgres://app:p@ss@db/prod", "postgres://[redacted]@db/prod"},
      {"https://0123456789abcdefghijABCDEFGHIJ@github.com/x", "https://[redacted]@github.com/x"},
      {"Authorization: Token abcdef", "Authorization: Token [redacted]"},
      {"Authorization: Digest username=\"admin\", response=\"66\"\nnext",
       "Authorization: Digest [redacted]\nnext"},
      {"curl -s --user 'admin:a b' http://web", "curl -s --user [redacted] http://web"},
      {"curl -u admin:pw http://web", "curl -u [redacted] http://web"},
      {"Cookie: session=abc; theme=dark", "Cookie: [redacted]"},
      {"GET /x?X-Amz-Signature=0123456789abcdef0&y=1", "GET /x?X-Amz-Signature=[redacted]&y=1"},
      {"-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----.", "[redacted]."},
  };
  for (const auto& [text, kept] : cases) CHECK(redacted(text) == kept);
}

TEST_CASE("a secret whose end was cut off is one", "[redaction]") {
  const std::pair<const char*, const char*> cases[] = {
      {R"(error: {"log": "x", "password": "hunter2Zq9)", R"(error: {"log": "x", "password": [redacted])"},
      {"password='hunter2Zq9", "password=[redacted]"},
      {"password=\"hunter2Zq9\nnext line", "password=[redacted]\nnext line"},
      {R"({\"password\":\"hunter2Zq)", R"({\"password\":[redacted])"},
      {R"(token: "hunter2Zq9)", "token: [redacted]"},
      {R"(Authorization: Bearer "hunter2Zq9)", R"(Authorization: Bearer "[redacted])"},
      {"mysql --password 'hunter2 Zq", "mysql --password [redacted]"},
      {"cannot reach postgresql://app:hunter2Zq", "cannot reach postgresql://app:[redacted]"},
  };
  for (const auto& [text, kept] : cases) CHECK(redacted(text) == kept);
  for (const char* text : {"cannot reach https://kubernetes.default.svc:443", "see http://[fe80::1]:80",
                           "token: \"no", "the secret: \"pull secret\" is missing"})
    CHECK(redacted(text) == text);
}

TEST_CASE("a patch says by its path what it sets", "[redaction]") {
  CHECK(redacted_json(R"([{"op":"replace","path":"/spec/db/password","value":"x"}])") ==
        R"([{"op":"replace","path":"/spec/db/password","value":"[redacted]"}])");
  CHECK(redacted_json(R"([{"op":"add","path":"/stringData/k","value":"x"}])") ==
        R"([{"op":"add","path":"/stringData/k","value":"[redacted]"}])");
  constexpr auto harmless = R"([{"op":"replace","path":"/spec/replicas","value":3},{"path":"","value":"x"}])";
  CHECK(redacted_json(harmless) == harmless);
}

TEST_CASE("a patch of a Secret is taken out in every way to write it", "[redaction]") {
  static const Redactor redactor({});
  const auto patched = [](Json patch) {
    Action action = restart("patch");
    action.resource = {.kind = "Secret", .namespace_ = "prod", .name = "db"};
    action.action_parameters = Json::object({{"patch", std::move(patch)}});
    redactor.redact(action);
    return action.action_parameters.text();
  };
  constexpr auto list = R"([{"op":"replace","path":"/data/k","value":"hunter2"}])";
  for (const Json& patch :
       {Json::parse(list), Json::parse(R"([{"op":"add","path":"/data","value":{"k":"hunter2"}}])"),
        Json(std::string(list)), Json("data:\n  k: hunter2\n"), Json("stringData:\n  k: hunter2\n"),
        Json(R"({"data":{"k":"hunter2"}})"), Json(R"(-p '{"data":{"k":"hunter2"}}')")}) {
    INFO(patch.text());
    CHECK(patched(patch).find("hunter2") == std::string::npos);
    CHECK(patched(patch).find("[redacted]") != std::string::npos);
  }
  // Where nothing but the text says that it is one.
  for (const char* text :
       {"stringData:\n  k: hunter2\n", R"(kubectl patch secret db -p '{"data":{"k":"hunter2"}}')",
        R"(helm --set '{"stringData":{"k":"hunter2"}}')"}) {
    CHECK(redacted(text).find("hunter2") == std::string::npos);
  }
  CHECK(redacted("data:\n  k: v\n") == "data:\n  k: v\n");
}

TEST_CASE("what only speaks of secrets is kept", "[redaction]") {
  for (const std::string_view text :
       {"basic authentication failed", "bearer authentication is off",
        "the authorization: request was denied", "ssh://git@github.com/x",
        "http://web.prod:8080/health?mail=me", "docker run -u root:root web",
        R"({"url":"http://svc:8080","path":"/healthz","owner":"sre@corp.com"})", "max_tokens=512 was too few",
        "access tokens expire", "the Secret registry-credentials was never created", "token bucket is full",
        "imagePullSecret is missing", "rotate the password weekly", "http://web.prod:8080/health",
        "the tokens: are 5"}) {
    CHECK(redacted(std::string(text)) == text);
  }
}

TEST_CASE("the value of a secret key is taken out whatever it looks like", "[redaction]") {
  CHECK(redacted_json(R"({"password":"x","user":"bob"})") == R"({"password":"[redacted]","user":"bob"})");
  CHECK(redacted_json(R"({"env":[{"API_KEY":"abc"}]})") == R"({"env":[{"API_KEY":"[redacted]"}]})");
  CHECK(redacted_json(R"({"imagePullSecret":"regcred","replicas":3})") ==
        R"({"imagePullSecret":"regcred","replicas":3})");
  CHECK(redacted_json(R"({"cmd":"curl -H 'Authorization: Bearer abcdefghijkl1234'"})").find("abcdefghijkl") ==
        std::string::npos);
}

TEST_CASE("a secret is known by the end of its key, in every way of writing keys", "[redaction]") {
  for (const char* key :
       {"MYSQL_ROOT_PASSWORD", "aws_secret_access_key", "X-Api-Key", "github_token", "githubToken",
        "spring.datasource.password", "jwtSecret", "Authorization", "azureStorageAccountKey"}) {
    const std::string with = R"({")" + std::string(key) + R"(":)";
    CHECK(redacted_json(with + R"("hunter2"})") == with + R"("[redacted]"})");
    CHECK(redacted_json(with + "12345678}") == with + R"("[redacted]"})");
    CHECK(redacted_json(with + R"(""})") == with + R"(""})");
  }
  for (const char* kept :
       {R"({"imagePullSecret":"regcred"})", R"({"secretName":"web-tls"})", R"({"max_tokens":512})",
        R"({"nextPageToken":"CAE"})", R"({"passwordSecretRef":{"name":"db"}})",
        R"({"automountServiceAccountToken":false})", R"({"monkey":"x"})"}) {
    CHECK(redacted_json(kept) == kept);
  }
}

TEST_CASE("short words for a secret count where they end a key", "[redaction]") {
  for (const char* key : {"DB_PWD", "DB_PASS", "MY_SECRET", "pwd", "secret"}) {
    const std::string with = R"({")" + std::string(key) + R"(":)";
    CHECK(redacted_json(with + R"("hunter2"})") == with + R"("[redacted]"})");
    CHECK(redacted_json(R"({"name":")" + std::string(key) + R"(","value":"hunter2"})") ==
          R"({"name":")" + std::string(key) + R"(","value":"[redacted]"})");
  }
  for (const char* kept :
       {R"({"cwd":"/srv"})", R"({"bypass":"yes"})", R"({"pass":40})", R"({"checks_pass":"12/12"})"}) {
    CHECK(redacted_json(kept) == kept);
  }
}

TEST_CASE("a list under a secret's key is one too", "[redaction]") {
  for (const char* key : {"token", "client_secret", "X-Auth-Token", "password", "secret"}) {
    const std::string with = R"({")" + std::string(key) + R"(":[)";
    CHECK(redacted_json(with + R"("abc",12]})") == with + R"("[redacted]","[redacted]"]})");
  }
}

TEST_CASE("secrets are taken out of what Kubernetes writes around them", "[redaction]") {
  CHECK(redacted_json(R"({"items":[{"data":{"a":"aHVudGVyMg=="}}],"kind":"SecretList"})") ==
        R"({"items":[{"data":{"a":"[redacted]"}}],"kind":"SecretList"})");
  Action patch;
  patch.resource.kind = "secrets";
  patch.action_parameters = Json::parse(R"({"patch":{"stringData":{"a":"hunter2"}}})");
  Outcome outcome;
  outcome.resource_state_after = Json::parse(R"({"data":{"a":"aHVudGVyMg=="}})");
  CHECK(Redactor({}).redact(outcome, patch.resource));
  CHECK(outcome.resource_state_after.text() == R"({"data":{"a":"[redacted]"}})");
  CHECK(Redactor({}).redact(patch));
  CHECK(patch.action_parameters.text() == R"({"patch":{"stringData":{"a":"[redacted]"}}})");
  CHECK(
      redacted_json(R"({"env":[{"name":"DB_PASSWORD","value":"hunter2"},{"name":"REGION","value":"eu"}]})") ==
      R"({"env":[{"name":"DB_PASSWORD","value":"[redacted]"},{"name":"REGION","value":"eu"}]})");
  CHECK(redacted_json(R"({"data":{"a":"aHVudGVyMg=="},"kind":"Secret"})") ==
        R"({"data":{"a":"[redacted]"},"kind":"Secret"})");
  CHECK(redacted_json(R"({"data":{"a":"b"},"kind":"ConfigMap"})") ==
        R"({"data":{"a":"b"},"kind":"ConfigMap"})");
  CHECK(redacted_json(R"({"credentials":{"login":["bob",{"value":"hunter2"}]}})") ==
        R"({"credentials":{"login":["[redacted]",{"value":"[redacted]"}]}})");
  // Where a secret is mounted from.
  const std::string volumes = R"({"volumes":[{"name":"tls","secret":{"secretName":"web-tls"}},)"
                              R"({"name":"id","serviceAccountToken":{"path":"token"}}]})";
  CHECK(redacted_json(volumes) == volumes);
}

TEST_CASE("what stands behind an escaped Secret in a line is kept", "[redaction]") {
  const std::string line =
      R"(applied: "{\"kind\":\"Secret\",\"data\":{\"a\":\"b\"},\"metadata\":{\"name\":\"x\"}}" then the rollout failed)";
  CHECK(
      redacted(line) ==
      R"(applied: "{\"kind\":\"Secret\",\"data\":{[redacted]},\"metadata\":{\"name\":\"x\"}}" then the rollout failed)");
}

TEST_CASE("rules of one's own see the whole of a document in a text", "[redaction]") {
  std::string text = R"({"password":"x","pin":"1234"})";
  Redactor({R"("pin": ?"?\d+)"}).redact(text);
  CHECK(text.find("1234") == std::string::npos);
}

TEST_CASE("two words of a list are no secret and its value", "[redaction]") {
  for (const char* kept :
       {R"({"command":["rotate-credentials","payments"]})", R"({"changed":["DB_PASSWORD","DB_HOST"]})",
        R"({"services":["auth-token","checkout"]})"}) {
    CHECK(redacted_json(kept) == kept);
  }
  CHECK(redacted_json(R"({"headers":[["X-Api-Key","hunter2"]]})") ==
        R"({"headers":[["X-Api-Key","[redacted]"]]})");
}

TEST_CASE("a document in a text goes through the same rules", "[redaction]") {
  const std::string applied = R"({"kind":"Secret","data":{"k":"aHVudGVyMg=="},"metadata":{"name":"db"}})";
  const Json secret = Json::object(
      {{"metadata",
        Json::object({{"annotations",
                       Json::object({{"kubectl.kubernetes.io/last-applied-configuration", applied}})}})}});
  CHECK(redacted_json(secret.text()).find("aHVudGVyMg") == std::string::npos);
  CHECK(redacted_json(secret.text()).find(R"(\"name\":\"db\")") != std::string::npos);
  CHECK(redacted(applied) == R"({"data":{"k":"[redacted]"},"kind":"Secret","metadata":{"name":"db"}})");
  CHECK(redacted(R"([{"a": {"b": "{\"password\": \"x\"}"}}])") ==
        R"([{"a":{"b":"{\"password\":\"[redacted]\"}"}}])");
  // What holds no secret keeps its blanks and its order.
  for (const char* kept : {R"({ "b": 1, "a": [2, 3] })", R"({"kind":"ConfigMap","data":{"k":"v"}})",
                           "{not json}", "[web-1, web-2]", "{", "{{ .Values.name }}"}) {
    CHECK(redacted(kept) == kept);
  }
}

TEST_CASE("the data of a Secret that stands in a text is taken out", "[redaction]") {
  CHECK(
      redacted(
          "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  conn: hunter2\n  cert: |\n"
          "    line1\n    line2\ntype: Opaque\n") ==
      "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  conn: [redacted]\n  cert: [redacted]\n"
      "type: Opaque\n");
  CHECK(redacted("data:\n  a: hunter2\nkind: Secret") == "data:\n  a: [redacted]\nkind: Secret");
  CHECK(redacted("kind: Secret\ndata: {a: hunter2}\n") == "kind: Secret\ndata: [redacted]\n");
  CHECK(redacted("items:\n- apiVersion: v1\n  data:\n    a: hunter2\n  kind: Secret\n") ==
        "items:\n- apiVersion: v1\n  data:\n    a: [redacted]\n  kind: Secret\n");
  CHECK(redacted("kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  a: hunter2\n") ==
        "kind: ConfigMap\ndata:\n  a: b\n---\nkind: Secret\ndata:\n  a: [redacted]\n");
  CHECK(redacted(R"(created {"data": {"a": "hunter}2"}, "kind": "Secret"} just now)") ==
        R"(created {"data": {[redacted]}, "kind": "Secret"} just now)");
  for (const char* kept :
       {"kind: ConfigMap\ndata:\n  a: b\n", "the Secret has data: none", "kind: SecretStore\ndata:\n  a: b\n",
        "Secret db was not found\ndata:\n  a: b\n"}) {
    CHECK(redacted(kept) == kept);
  }
}

TEST_CASE("secrets are known in the arguments of a command and in pairs", "[redaction]") {
  const std::pair<const char*, const char*> cases[] = {
      {R"(["mysql","-u","root","--password","hunter2","-h","db"])",
       R"(["mysql","-u","root","--password","[redacted]","-h","db"])"},
      {R"(["sshpass","-p","hunter2","ssh","web"])", R"(["sshpass","-p","[redacted]","ssh","web"])"},
      {R"(["docker","login","-p","hunter2"])", R"(["docker","login","-p","[redacted]"])"},
      {R"([["X-Api-Key","abc"],["Accept","text/plain"]])",
       R"([["X-Api-Key","[redacted]"],["Accept","text/plain"]])"},
      {R"([{"key":"DB_PASSWORD","value":"x"},{"Name":"API_TOKEN","Value":"x"}])",
       R"([{"key":"DB_PASSWORD","value":"[redacted]"},{"Name":"API_TOKEN","Value":"[redacted]"}])"},
      {R"({"clientSecret":{"value":"x"}})", R"({"clientSecret":{"value":"[redacted]"}})"},
      {R"({"token":{"name":"t","value":"x"}})", R"({"token":{"name":"[redacted]","value":"[redacted]"}})"},
  };
  for (const auto& [json, kept] : cases) CHECK(redacted_json(json) == kept);
  for (const char* kept :
       {R"(["kubectl","get","secret","db"])", R"(["kubectl","port-forward","-p","8080"])",
        R"(["secret","db"])", R"(["mysql","--password","-h","db"])",
        R"(["kubectl","exec","web","--","ls","-","x"])", R"(["enter the password","ok"])",
        R"({"key":"app","value":"web"})",
        R"({"secret":{"items":[{"key":"tls.crt","path":"crt"}],"optional":true,"secretName":"web-tls"}})",
        R"({"tokens":{"input":12}})", R"(["replicas","3"])"}) {
    CHECK(redacted_json(kept) == kept);
  }
}

TEST_CASE("secrets are known in the ways of other tools", "[redaction]") {
  const std::pair<const char*, const char*> cases[] = {
      {"password := hunter2", "password := [redacted]"},
      {R"("password" => "hunter2",)", R"("password" => [redacted],)"},
      {"<password>hunter2</password>", "<password>[redacted]</password>"},
      {"user: bob\npass: hunter2\n", "user: bob\npass: [redacted]\n"},
      {"{user: bob, pass: hunter2}", "{user: bob, pass: [redacted]}"},
      {"DB_PASS=hunter2 ./run", "DB_PASS=[redacted] ./run"},
      {"sshpass -p hunter2 ssh web", "sshpass -p [redacted] ssh web"},
      {"docker login -u bob -p hunter2 registry", "docker login -u bob -p [redacted] registry"},
      {"kubectl create secret generic x --from-literal=a=hunter2 --from-literal=b='c d'",
       "kubectl create secret generic x --from-literal=a=[redacted] --from-literal=b=[redacted]"},
      {"mysql -u root -phunter2 -h db", "mysql -u root -p[redacted] -h db"},
  };
  for (const auto& [text, kept] : cases) CHECK(redacted(text) == kept);
  for (const char* kept :
       {"--- PASS: TestScale2 (0.01s)", "second pass: web-1 and web-2 restarted", "pass: 12/12", "pass: yes",
        "checks pass: all3", "pass <token> to the server", "docker run -p 8080:80 web",
        "kubectl logs -p web-1", "mkdir -p /srv/mysql", "mysql -p is asked for"}) {
    CHECK(redacted(kept) == kept);
  }
}

TEST_CASE("rules of one's own are added, and a wrong one is named", "[redaction]") {
  const Redactor redactor({R"(EMP-\d{4})"});
  std::string text = "ask EMP-1234";
  redactor.redact(text);
  CHECK(text == "ask [redacted]");
  CHECK(error_text_of([] { Redactor({"ok", "("}); }).starts_with("redact[1]: "));
  CHECK(error_text_of([] { Redactor({R"((?:EMP\d+)?)"}); }).starts_with("redact[0]: "));
}
