/* The structs of the first version of the interface keep their layout for ever, on every 64-bit machine. */
#include <actionhist.h>

#define HOLDS(condition, name) typedef char name[(condition) ? 1 : -1]

HOLDS(sizeof(void*) != 8 || sizeof(actionhist_string) == 16, string_size);
HOLDS(offsetof(actionhist_string, length) == sizeof(void*), string_length);

HOLDS(offsetof(actionhist_options, size) == 0, options_size);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, settings) == 8, options_settings);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, log) == 24, options_log);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, clock) == 32, options_clock);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, refused) == 40, options_refused);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, user_data) == 48, options_user_data);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, destroy) == 56, options_destroy);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, model) == 64, options_model);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, progress) == 72, options_progress);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_options, detected) == 80, options_detected);
HOLDS(sizeof(void*) != 8 || ACTIONHIST_OPTIONS_SIZE_1 == 72, options_first_size);

HOLDS(offsetof(actionhist_model, size) == 0, model_size);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_model, space_id) == 8, model_space_id);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_model, dimension) == 24, model_dimension);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_model, embed) == 32, model_embed);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_model, user_data) == 40, model_user_data);
HOLDS(sizeof(void*) != 8 || offsetof(actionhist_model, destroy) == 48, model_destroy);
HOLDS(sizeof(void*) != 8 || ACTIONHIST_MODEL_SIZE_1 == 56, model_first_size);

HOLDS(ACTIONHIST_INVALID_ARGUMENT == 1 && ACTIONHIST_NOT_FOUND == 2 && ACTIONHIST_CONFLICT == 3, statuses_1);
HOLDS(ACTIONHIST_DENIED == 4 && ACTIONHIST_UNAVAILABLE == 5 && ACTIONHIST_TIMEOUT == 6, statuses_2);
HOLDS(ACTIONHIST_UNSUPPORTED == 7 && ACTIONHIST_CORRUPT == 8 && ACTIONHIST_CANCELLED == 9, statuses_3);
HOLDS(ACTIONHIST_OK == 0 && ACTIONHIST_INTERNAL == 10, statuses_4);
HOLDS(sizeof(actionhist_status) == 4, status_size);

int main(void) { return 0; }
