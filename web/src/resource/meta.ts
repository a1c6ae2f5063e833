/* The descriptions of all resources, asked for once a log-in. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { api } from '@/api/client'
import type { MetaResource } from '@/api/types'

export const useMeta = defineStore('meta', () => {
	const resources = ref<MetaResource[]>([])
	let forUser = ''

	async function load(userId: string) {
		if (forUser === userId && resources.value.length)
			return
		resources.value = (await api.meta()).resources
		forUser = userId
	}
	/** Somebody changed what a resource is. */
	async function again() {
		if (forUser)
			resources.value = (await api.meta()).resources
	}
	const find = (name: string) => resources.value.find(r => r.name === name)
	return { resources, load, again, find }
})
