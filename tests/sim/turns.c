// SPDX-License-Identifier: Apache-2.0
#include "turns.h"

#include <stddef.h>

void turns_init(struct turns *turns)
{
	pthread_mutex_init(&turns->mutex, NULL);
	pthread_cond_init(&turns->left, NULL);
	TAILQ_INIT(&turns->waiting);
}

void turns_join(struct turns *turns, struct turn *turn, void (*came)(void *arg), void *arg)
{
	pthread_mutex_lock(&turns->mutex);
	TAILQ_INSERT_TAIL(&turns->waiting, turn, next);
	if (came)
		came(arg);
	pthread_mutex_unlock(&turns->mutex);
}

void turns_wait(struct turns *turns, struct turn *turn)
{
	pthread_mutex_lock(&turns->mutex);
	while (TAILQ_FIRST(&turns->waiting) != turn)
		pthread_cond_wait(&turns->left, &turns->mutex);
	pthread_mutex_unlock(&turns->mutex);
}

void turns_leave(struct turns *turns, struct turn *turn)
{
	pthread_mutex_lock(&turns->mutex);
	TAILQ_REMOVE(&turns->waiting, turn, next);
	pthread_cond_broadcast(&turns->left);
	pthread_mutex_unlock(&turns->mutex);
}
