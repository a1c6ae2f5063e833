/// <reference types="vitest/config" />
import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import ElementPlus from 'unplugin-element-plus/vite'
import { defineConfig } from 'vite'

// In development the page asks this server; HUAWU_SERVER names another one than the mock.
const server = process.env.HUAWU_SERVER ?? 'http://127.0.0.1:8099'

export default defineConfig({
	plugins: [vue(), ElementPlus({})],
	resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
	server: {
		host: '127.0.0.1',
		proxy: {
			'/api': { target: server, changeOrigin: false },
			'/ca': { target: server },
			'/sip': { target: server.replace(/^http/, 'ws'), ws: true },
		},
	},
	build: {
		target: 'es2022',
		chunkSizeWarningLimit: 700,
		reportCompressedSize: true,
	},
	test: {
		include: ['tests/**/*.spec.ts'],
		environment: 'node',
	},
})
