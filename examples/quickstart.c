/* Records what an agent did, finds what worked before, and asks before it acts again. C99 or C++. */
#include <actionhist.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Runs an operation and returns its answer; a failure ends the program. The caller frees the answer. */
static actionhist_text* run(actionhist_history* history, actionhist_operation* operation,
                            const char* request) {
  actionhist_text* answer = NULL;
  actionhist_error* error = NULL;
  const actionhist_status status = operation(history, request, strlen(request), &answer, &error);
  if (status == ACTIONHIST_OK) return answer;
  fprintf(stderr, "%s: %s\n", actionhist_status_name(status), actionhist_error_message(error));
  actionhist_error_free(error);
  actionhist_history_free(history);
  exit(1);
}

/* Copies the text of the first member `name`; a JSON library does this better. */
static void read_member(const actionhist_text* answer, const char* name, char* value, size_t capacity) {
  const char* at = strstr(actionhist_text_data(answer), name);
  size_t length = 0;
  if (at != NULL) {
    at += strlen(name);
    while (at[length] != '\0' && at[length] != '"' && length + 1 < capacity) ++length;
    memcpy(value, at, length);
  }
  value[length] = '\0';
}

int main(int argc, char** argv) {
  const char* uri = argc > 1 ? argv[1] : "sqlite:history.db";
  actionhist_history* history = NULL;
  actionhist_error* error = NULL;
  actionhist_text* answer = NULL;
  char request[1024];
  char text[256];
  char hour_ago[32];
  const time_t then = time(NULL) - 3600;

  if (actionhist_history_open(uri, strlen(uri), NULL, &history, &error) != ACTIONHIST_OK) {
    fprintf(stderr, "%s\n", actionhist_error_message(error));
    actionhist_error_free(error);
    return 1;
  }

  /* What happened an hour ago. Its id makes it safe to record it again. */
  strftime(hour_ago, sizeof hour_ago, "%Y-%m-%dT%H:%M:%SZ", gmtime(&then));
  snprintf(request, sizeof request,
           "{\"action_id\": \"checkout-oom-1\", \"action_timestamp\": \"%s\","
           " \"alert_name\": \"KubePodCrashLooping\","
           " \"model_reasoning\": \"The container is killed for memory while it warms its cache.\","
           " \"action_type\": \"increase_memory\", \"action_parameters\": {\"memory\": \"2Gi\"},"
           " \"kind\": \"Deployment\", \"namespace\": \"prod\", \"name\": \"checkout\","
           " \"execution_status\": \"completed\", \"effectiveness_score\": 0.9}",
           hour_ago);
  actionhist_text_free(run(history, actionhist_history_record, request));

  /* Ask before acting. What is allowed is stored at once, so that no other agent passes beside it. */
  answer =
      run(history, actionhist_history_propose,
          "{\"model_reasoning\": \"Latency is above its objective; three pods are too few for this load.\","
          " \"action_type\": \"scale_deployment\", \"action_parameters\": {\"replicas\": 5},"
          " \"kind\": \"Deployment\", \"namespace\": \"prod\", \"name\": \"checkout\","
          " \"resource_state_before\": {\"replicas\": 3}}");
  if (strstr(actionhist_text_data(answer), "\"allowed\":true") != NULL) {
    /* Scale, look at the result, and say what became of it. */
    read_member(answer, "\"action_id\":\"", text, sizeof text);
    snprintf(request, sizeof request,
             "{\"action_id\": \"%s\", \"outcome\": {\"status\": \"completed\","
             " \"resource_state_after\": {\"replicas\": 5}, \"effectiveness_score\": 0.8}}",
             text);
    actionhist_text_free(run(history, actionhist_history_complete, request));
  } else {
    read_member(answer, "\"reason\":\"", text, sizeof text);
    printf("refused: %s\n", text);
  }
  actionhist_text_free(answer);

  /* What worked before when something like this happened? */
  answer = run(history, actionhist_history_similar,
               "{\"text\": \"pods crash, out of memory at start\", \"fresh\": true}");
  printf("%s\n", actionhist_text_data(answer));
  actionhist_text_free(answer);
  actionhist_history_free(history);
  return 0;
}
