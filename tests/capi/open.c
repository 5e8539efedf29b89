/* Opens, fails and closes through the C ABI, in plain C. */
#include <actionhist.h>
#include <string.h>

int main(void) {
  actionhist_history* history = NULL;
  actionhist_error* error = NULL;

  if (strcmp(actionhist_version(), "0.1.0") != 0) return 1;
  if (actionhist_history_open("memory:", 7, NULL, &history, &error) != ACTIONHIST_OK) return 2;
  if (history == NULL || error != NULL) return 3;
  actionhist_history_free(history);
  actionhist_history_free(NULL);
  actionhist_history_close(NULL);

  if (actionhist_history_open("nosuch://secret@host", 20, NULL, &history, &error) !=
      ACTIONHIST_INVALID_ARGUMENT)
    return 4;
  if (history != NULL || error == NULL) return 5;
  if (actionhist_error_code(error) != ACTIONHIST_INVALID_ARGUMENT) return 6;
  if (strstr(actionhist_error_message(error), "secret") != NULL) return 7;
  actionhist_error_free(error);
  actionhist_error_free(NULL);

  /* A caller that does not want the error still gets the status. */
  if (actionhist_history_open(NULL, 0, NULL, &history, NULL) != ACTIONHIST_INVALID_ARGUMENT) return 8;
  return 0;
}
